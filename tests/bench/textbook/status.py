"""What FedEx's codes mean, as far as this design knows."""

STATUS = {
    "OC": "label_created",
    "PU": "picked_up",
    "DP": "departed_facility",
    "AR": "arrived_at_facility",
    "OD": "out_for_delivery",
    "DE": "delivery_attempted",
    "DL": "delivered",
}
