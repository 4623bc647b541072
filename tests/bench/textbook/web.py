"""The view: verify, hand to Celery, answer 202."""

import base64
import hashlib
import hmac
import os

from flask import Flask, abort, request

from tests.bench.textbook.tasks import process_webhook

SECRET = os.environ["FEDEX_SECRET"].encode()

app = Flask("textbook")


@app.post("/in/fedex")
def webhook() -> tuple[dict[str, str], int]:
    body = request.get_data()
    expected = base64.b64encode(hmac.new(SECRET, body, hashlib.sha256).digest()).decode()
    if not hmac.compare_digest(expected, request.headers.get("fdx-signature", "")):
        abort(401)
    task = process_webhook.delay(body.decode())
    return {"id": task.id}, 202
