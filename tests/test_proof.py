"""Which revision has run well."""

from reconciler.proof import Proof


def test_a_revision_is_proven_when_it_has_run_well_for_long_enough() -> None:
    proof = Proof()
    for now, well, proven in ((0, True, ""), (59, True, ""), (60, True, "a"), (61, False, "a"), (99, True, "a")):
        proof = proof.after("a", well=well, now=now, patience=60)
        assert proof.proven == proven


def test_what_is_unwell_in_between_begins_anew() -> None:
    proof = Proof().after("a", well=True, now=0, patience=60).after("a", well=False, now=50, patience=60)
    assert proof.after("a", well=True, now=70, patience=60).after("a", well=True, now=100, patience=60).proven == ""


def test_another_revision_has_to_prove_itself() -> None:
    proof = Proof("a").after("b", well=True, now=0, patience=60)
    assert proof.proven == "a"
    assert proof.after("b", well=True, now=60, patience=60).proven == "b"
    assert proof.settled("b").proven == "b"
    assert proof.after("", well=True, now=90, patience=0).proven == "a"


def test_a_revision_that_is_taken_back_is_not_proven_any_more() -> None:
    assert Proof("a").without("a") == Proof()
    assert Proof("a").without("b") == Proof("a")
