"""Everything that talks to Odoo. No other package does."""
