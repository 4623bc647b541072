"""The hands: Celery workers that take messages in, understand them and act. They alone talk to Odoo."""
