"""What is read of an expression, and what is refused that Prometheus would let pass."""

import pytest

from tests.promql import TARGET_LABELS, Expression, Matcher, PromqlError, Selector, read

SERIES = {
    "up": "",
    "votes": "",
    "state": "node,state",
    "score": "attribute,node",
    "required": "attribute,resource",
    "moves_total": "resource,cause",
    "seconds_bucket": "le",
    "a:b:c": "resource",
}


def labels_of(name: str) -> frozenset[str]:
    return frozenset(filter(None, SERIES[name].split(","))) | TARGET_LABELS


def parsed(text: str) -> Expression:
    return read(text, labels_of)


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("up", TARGET_LABELS),
        ("time() - votes", TARGET_LABELS),
        ("1.5e3", frozenset()),
        ('sum by (node) (state{state="online"}) > 1', {"node"}),
        ("sum(state) without (state, job)", {"node", "instance", "cluster"}),
        ("sum(votes)", frozenset()),
        ("topk(3, votes)", TARGET_LABELS),
        ("increase(moves_total[1h] offset 5m)", {"resource", "cause", *TARGET_LABELS}),
        ("histogram_quantile(0.9, sum by (le, job) (rate(seconds_bucket[5m])))", {"job"}),
        ('state{state="a"} == 1 unless ignoring (state) state{state="b"} == 1', {"node", "state", *TARGET_LABELS}),
        ('state{state="a"} - ignoring (state) state{state="b"}', {"node", *TARGET_LABELS}),
        ("max by (node, attribute) (score) * on (node) group_left () max by (node) (state)", {"node", "attribute"}),
        ('max by (node) (state) or max by (node, state) (state{state!~"x|y"})', {"node"}),
        ('label_replace(votes, "peer", "$1", "instance", "(.+):.*")', {"peer", *TARGET_LABELS}),
        ('absent(votes{job="x"})', {"job"}),
        ("a:b:c - -2 ^ 2 # a comment", {"resource", *TARGET_LABELS}),
        ("clamp_max(votes, 1) and on () vector(1)", TARGET_LABELS),
    ],
)
def test_labels_that_come_out(text: str, labels: frozenset[str]) -> None:
    assert parsed(text).labels == labels


def test_selectors_and_what_their_ranges_are_given_to() -> None:
    found = parsed('sum(rate(moves_total{cause!="planned", job=~"$job",}[5m])) / on () max(votes)')
    assert found.selectors == (
        Selector("moves_total", (Matcher("cause", "!=", "planned"), Matcher("job", "=~", "$job")), "rate"),
        Selector("votes", (), ""),
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("down", "no series is named down"),
        ('votes{node="a"}', "votes: no label node"),
        ("sum by (node) (votes)", "no label node"),
        ("max by (node) (state) > max by (resource) (required)", "never match: only one has node, resource"),
        ("score < on (node) required", "right of < on: no label node"),
        ("score < on (attribute, instance) required", "may have several by node"),
        ("score < on (attribute, instance) group_left () required", "may have several by resource"),
        ("state == ignoring (state) state", "may have several by state"),
        ("votes and 1", "wants a vector on both sides"),
        ("sum(1)", "wants a vector"),
        ("histogram_quantile(0.9, sum(rate(seconds_bucket[5m])))", "no label le"),
        ("votes votes", "'votes' is left over"),
        ("(votes", "expected, not ''"),
        ("votes{job}", "expected, not '}'"),
        ("votes{job=1}", "wants a string"),
        ("votes[job]", "wants a duration"),
        ("predict(votes)", "predict with 1 vectors is not known here"),
        ("votes ? 1", "cannot read"),
        ("votes + ]", "out of place"),
    ],
)
def test_what_is_wrong_is_said(text: str, why: str) -> None:
    with pytest.raises(PromqlError) as error:
        parsed(text)
    assert why in str(error.value)
    assert " ".join(text.split()) in str(error.value)
