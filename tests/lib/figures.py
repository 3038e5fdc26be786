"""Key figures of a site, and figures of others to compare them with."""
import json, math

QUANTILES = {"type7": "linear", "nearest": "nearest_rank"}  # our words, the references'


def import_history(site, *arguments):
    """Imports, and waits until every node of the site has folded it; the import's summary."""
    summary = json.loads(site.docket("import", "--json", *arguments).stdout)
    site.docket("status", "--wait", 60, "--roles", ",".join(site.nodes))
    return summary


def report(site, *arguments):
    """A report of the live analytics node, which a replay of the log to the same position gives in
    the same bytes."""
    live = site.docket("kpi", *arguments, "--json").stdout
    position = json.loads(live)["position"]
    replayed = site.docket("replay", "kpi", *arguments, "--position", position, "--json").stdout
    assert live == replayed, f"live and replayed figures differ: {arguments}"
    return json.loads(live)


def replayed(site, *arguments):
    """A report of the log alone, where no node runs."""
    return json.loads(site.docket("replay", "kpi", *arguments, "--json").stdout)


def by_value(report):
    """Cells of a report by one dimension: value -> measures."""
    (dimension,) = report["by"]
    return {cell["by"][dimension]: cell["measures"] for cell in report["cells"]}


def stats(values, quantile):
    """What a duration's or a number's figures are, by the definitions of the references."""
    v = sorted(values)

    def at(p):
        rank = (len(v) - 1) * p if quantile == "type7" else math.ceil(p * len(v)) - 1
        low, high = math.floor(rank), math.ceil(rank)
        return v[low] + (v[high] - v[low]) * (rank - low)

    return {"n": len(v), "mean": sum(v) / len(v), "median": at(0.5), "p90": at(0.9),
            "p95": at(0.95), "min": v[0], "max": v[-1], "sum": sum(v)}


def check_stats(found, expected, quantile, digits=6):
    """A duration against a reference's: all that the reference has, to its last digit."""
    rule = QUANTILES[quantile]
    for ours, theirs in (("n", "n"), ("mean", "mean"), ("median", f"median_{rule}"),
                         ("p90", f"p90_{rule}"), ("p95", f"p95_{rule}"), ("min", "min"),
                         ("max", "max")):
        if theirs in expected:
            assert round(found[ours], digits) == expected[theirs], (ours, found, expected)
    assert round(found["sum"], 3) == expected["sum"], (found, expected)


def references(site):
    """Every imported ticket's name in its source: ticket -> name."""
    events = site.docket("tail", "--from", 1, "--kind", "opened").stdout.splitlines()
    return {e["subject"]: e["body"]["reference"] for e in map(json.loads, events)}
