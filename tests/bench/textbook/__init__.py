"""The textbook design: what a competent engineer writes in a day from the documentation of Flask and Celery.

gunicorn, a view that verifies and hands each webhook to Celery as one task, and a task that validates it with
marshmallow and brings its rows in PostgreSQL up to date through the ORM. No Odoo.
"""
