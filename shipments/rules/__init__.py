"""What follows from where a shipment stands. The policy table says what is on; the logic is here."""
