"""Contracts of the state of the platform."""

from typing import Any, Final

import marshmallow as ma

# What can be tried again.
KINDS: Final = ("rejected_event", "failed_send", "failed_task")


class SystemOut(ma.Schema):
    """Processes, services with their queues, readers, jobs and dead letters, and failed tasks; null: no answer."""

    processes = ma.fields.List(ma.fields.Dict(), allow_none=True)
    services = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Dict(allow_none=True))
    failed_tasks = ma.fields.List(ma.fields.Dict(), allow_none=True)


class ReplayIn(ma.Schema):
    """Which dead letters: a kind, and ids or all of it, 1,000 at most by one request."""

    kind = ma.fields.String(required=True, validate=ma.validate.OneOf(KINDS))
    ids = ma.fields.List(ma.fields.UUID(), load_default=None, validate=ma.validate.Length(1, 500))
    all = ma.fields.Boolean(load_default=False)
    cursor = ma.fields.String(
        load_default=None,
        validate=ma.validate.Length(max=500),
        metadata={"description": "`next_cursor` of the answer before, with the same kind and ids"},
    )

    @ma.validates_schema
    def _one_of_both(self, data: dict[str, Any], **_: Any) -> None:
        if bool(data["ids"]) == data["all"]:
            raise ma.ValidationError("name the ids or say all", "ids")


class ReplayOut(ma.Schema):
    """How many go again, how many were refused again."""

    again = ma.fields.Integer()
    refused = ma.fields.Integer()
    remaining = ma.fields.Integer(metadata={"description": "of those asked for, how many this request did not reach"})
    next_cursor = ma.fields.String(
        allow_none=True, metadata={"description": "send it as `cursor` to go on; null: all were tried"}
    )
