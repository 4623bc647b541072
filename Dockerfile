# Milepost without the embedded servers. One image; what a container runs is its command (see docker-compose.yml).
FROM python:3.13-slim AS build
WORKDIR /build
COPY constraints.txt setup.cfg pyproject.toml README.md LICENSE ./
COPY app app
COPY carriers carriers
COPY config config
COPY shipments shipments
COPY workers workers
RUN python -m venv /opt/milepost \
 && /opt/milepost/bin/pip install --no-cache-dir -c constraints.txt .

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/milepost --create-home milepost
COPY --from=build /opt/milepost /opt/milepost
ENV PATH=/opt/milepost/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MILEPOST_HOME=/var/lib/milepost \
    MILEPOST_HOST=0.0.0.0
WORKDIR /var/lib/milepost
USER milepost
EXPOSE 8080
CMD ["granian", "--interface", "rsgi", "--host", "0.0.0.0", "--port", "8080", "--workers", "1", "--backpressure", "8000", "--http", "1", "--no-ws", "--respawn-failed-workers", "app.doorstep:app"]
