"""The contract of the sending policy."""

import marshmallow as ma

_QUIET = {"description": "On the customer's own clock. Equal start and end: no quiet hours."}
_CAP = {"description": "Promotional messages a person gets within `cap_days`; 0: no limit."}


class PolicyIn(ma.Schema):
    """When promotional messages may go, how many, and when to give up."""

    class Meta:
        """Unknown fields are errors."""

        unknown = ma.RAISE

    quiet_start = ma.fields.Time(required=True, metadata=_QUIET)
    quiet_end = ma.fields.Time(required=True, metadata=_QUIET)
    cap_messages = ma.fields.Integer(required=True, validate=ma.validate.Range(0, 1000), metadata=_CAP)
    cap_days = ma.fields.Integer(required=True, validate=ma.validate.Range(1, 366))
    expire_hours = ma.fields.Integer(required=True, validate=ma.validate.Range(1, 720))


class PolicyOut(ma.Schema):
    """The policy in force."""

    quiet_start = ma.fields.Time()
    quiet_end = ma.fields.Time()
    cap_messages = ma.fields.Integer()
    cap_days = ma.fields.Integer()
    expire_hours = ma.fields.Integer()
    version = ma.fields.Integer()
    updated_at = ma.fields.AwareDateTime()
