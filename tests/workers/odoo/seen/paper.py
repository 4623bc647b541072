"""A proof of delivery as a carrier sends it: a picture with a signature, as a data URL."""

import base64
from functools import cache
from io import BytesIO

import matplotlib as mpl
from matplotlib.figure import Figure


@cache
def signed_paper(name: str) -> str:
    """The picture, with that name and a scrawl."""
    mpl.rcParams["path.sketch"] = None
    figure = Figure(figsize=(4, 2.4), dpi=100)
    figure.text(0.08, 0.86, "PROOF OF DELIVERY", fontsize=13, weight="bold")
    figure.text(0.08, 0.1, f"Received in good condition: {name}", fontsize=10)
    axes = figure.add_axes((0.1, 0.22, 0.8, 0.55))
    axes.axis("off")
    line = [(t / 40, (t * 37 % 23) / 23 + t / 90) for t in range(40)]
    axes.plot(*zip(*line, strict=True), color="navy", linewidth=1.4)
    buffer = BytesIO()
    figure.savefig(buffer, format="png")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
