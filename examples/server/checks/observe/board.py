"""The Grafana board: its structure, and the queries of its panels."""

import json
import re

from harness.require import require

from .prometheus import OBSERVE

COLUMNS = 24
METRIC = re.compile(r"\bpresence_[a-z_]+")
# What the text formats add to the name of a metric.
SUFFIXES = ("_bucket", "_sum", "_count", "_info", "_total")


def load():
    return json.loads((OBSERVE / "board.json").read_text(encoding="utf-8"))


def panels(board):
    """Returns the panels with queries, after checking that each has what Grafana needs."""
    ids, taken, found = set(), set(), []
    for panel in board["panels"]:
        require(panel["id"] not in ids and panel["title"], panel)
        ids.add(panel["id"])
        place = panel["gridPos"]
        require(0 <= place["x"] and place["x"] + place["w"] <= COLUMNS, panel["title"])
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        require(cells and not cells & taken, f"{panel['title']} is on top of another panel")
        taken |= cells
        if panel["type"] == "row":
            continue
        require(panel["type"] in ("stat", "timeseries"), panel["type"])
        targets = panel["targets"]
        require(targets and len({target["refId"] for target in targets}) == len(targets), panel["title"])
        for target in targets:
            require(target["datasource"]["uid"] == panel["datasource"]["uid"] == "${datasource}", panel["title"])
        require(panel["fieldConfig"]["defaults"]["unit"], panel["title"])
        found.append(panel)
    require(len(found) > 10, "the board has hardly a panel")
    variables = {variable["name"]: variable for variable in board["templating"]["list"]}
    require(set(variables) == {"datasource", "instance"}, variables)
    return found


def expressions(board):
    """Returns the queries of the board, as Grafana sends them with all servers chosen."""
    for panel in panels(board):
        for target in panel["targets"]:
            expression = target["expr"].replace("$__rate_interval", "10s").replace("$instance", ".*")
            require("$" not in expression, target["expr"])
            yield panel["title"], expression


def names(text):
    """Returns the names of metrics in a text."""
    return set(METRIC.findall(text))


def families(samples):
    """Returns the names of metrics with and without what the text formats add."""
    return samples | {name.removesuffix(suffix) for name in samples for suffix in SUFFIXES}
