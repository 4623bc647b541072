"""The doors: what the outside world reaches by HTTP, and the command line. Never talks to Odoo or to a carrier."""
