"""Milepost under a load while everything around it breaks: `make chaos`. Says what was lost, doubled or left wrong."""
