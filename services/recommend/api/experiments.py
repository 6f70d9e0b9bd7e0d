"""The routes of experiments."""

from typing import Any

from services.recommend.actions import experiments as actions
from services.recommend.schemas.experiments import (
    ApplyIn,
    ExperimentIn,
    ExperimentPage,
    ExperimentShown,
    ResultOut,
    ResultQuery,
)
from shared.auth import require
from shared.blueprint import Blueprint

blp = Blueprint("experiments", __name__, url_prefix="/v1/slots", description="Experiments of slots")


@blp.get("/<name>/experiments")
@require("slots:read")
@blp.response(200, ExperimentPage)
def list_experiments(name: str) -> dict[str, Any]:
    """The experiments of a slot, the newest first."""
    return {"items": actions.experiments(name)}


@blp.get("/<name>/experiment")
@require("slots:read")
@blp.arguments(ResultQuery, location="query")
@blp.response(200, ResultOut)
def get_result(query: dict[str, Any], name: str) -> dict[str, Any]:
    """What came of an experiment so far: a winner, no difference yet, or figures that are not to be trusted."""
    return actions.result(name, query["experiment_id"], query["goal"])


@blp.post("/<name>/experiment")
@require("slots:write")
@blp.arguments(ExperimentIn)
@blp.response(201, ExperimentShown)
def start_experiment(given: dict[str, Any], name: str) -> dict[str, Any]:
    """Divide the people of a slot from now on. Everybody keeps the variant they were first seen with."""
    return actions.start(name, given["variants"])


@blp.post("/<name>/experiment/stop")
@require("slots:write")
@blp.response(200, ExperimentShown)
def stop_experiment(name: str) -> dict[str, Any]:
    """End the experiment; the slot is as it was before."""
    return actions.stop(name, None)


@blp.post("/<name>/experiment/apply")
@require("slots:write")
@blp.arguments(ApplyIn)
@blp.response(200, ExperimentShown)
def apply_variant(given: dict[str, Any], name: str) -> dict[str, Any]:
    """End the experiment, and let the slot be as one of its variants for everybody."""
    return actions.stop(name, given["variant"])
