"""What a FedEx push looks like, validated with marshmallow."""

from marshmallow import EXCLUDE, Schema, fields


class Loose(Schema):
    class Meta:
        unknown = EXCLUDE


class Place(Loose):
    city = fields.String()
    countryCode = fields.String()  # noqa: N815, FedEx's own spelling


class Scan(Loose):
    date = fields.AwareDateTime(required=True)
    eventType = fields.String(required=True)  # noqa: N815
    eventDescription = fields.String(required=True)  # noqa: N815
    scanLocation = fields.Nested(Place)  # noqa: N815


class TrackResult(Loose):
    scanEvents = fields.List(fields.Nested(Scan), required=True)  # noqa: N815


class CompleteTrackResult(Loose):
    trackingNumber = fields.String(required=True)  # noqa: N815
    trackResults = fields.List(fields.Nested(TrackResult), required=True)  # noqa: N815


class Output(Loose):
    completeTrackResults = fields.List(fields.Nested(CompleteTrackResult), required=True)  # noqa: N815


class Push(Loose):
    output = fields.Nested(Output, required=True)


PUSH = Push()
