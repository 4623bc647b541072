"""The shipment: what a milestone is, what an event is, where a parcel stands and what follows from it.

The modules of this package import the standard library only, so that every rule can be read and tested on its own.
`shipments.store` is its memory and may use the database.
"""
