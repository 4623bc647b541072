"""`make bench`: Milepost and the textbook design side by side, in one run, on one machine."""
