"""Asks crm_verify(8) which objects of a plan the cluster's schema refuses, and in which fields. Changes nothing.

Only after the plan as a whole was refused: it takes a hundred short processes or so.
"""

import time
from collections.abc import Sequence

from reconciler.cib.blame import MARKER, Answer
from reconciler.cib.document import Cib
from reconciler.cib.verdict import DANGLING, VERIFY, Verdict, VerifyError, verify
from reconciler.host.shell import Call, Completed, Shell
from reconciler.planner import ClusterPlan
from reconciler.refusal import explained
from reconciler.secret import Secret, redacted

_MOST = 200
_AT_A_TIME = 20


def explain(shell: Shell, live: Cib, planned: ClusterPlan, verdict: Verdict, timeout: float) -> Verdict:
    """Return a verdict that breaks the schema in words that name object and field.

    Never raises for what crm_verify does: what is not known after 200 documents or `timeout` seconds is not said.
    """
    search = explained(live, planned, verdict)
    end, left = time.monotonic() + timeout, _MOST
    documents = next(search)
    while True:
        answers: list[Answer] = []
        while len(answers) < len(documents) and left > 0 and time.monotonic() < end:
            batch = documents[len(answers) : len(answers) + min(_AT_A_TIME, left)]
            answers += _ask(shell, batch, planned.secrets, end - time.monotonic())
            left -= len(batch)
        try:
            documents = search.send([*answers, *[None] * (len(documents) - len(answers))])
        except StopIteration as done:
            found: Verdict = done.value
            return found


def _ask(shell: Shell, documents: Sequence[str], secrets: tuple[Secret, ...], timeout: float) -> list[Answer]:
    words = (*VERIFY, "--xml-pipe")
    calls = [Call(words, stdin=document, timeout=max(0.1, timeout), secrets=secrets) for document in documents]
    return [_answer(completed) for completed in shell.run_all(calls)]


def _answer(completed: Completed) -> Answer:
    """Read what was said of a document. Each one refers to nobody: where nothing is said it was not validated."""
    hidden = completed.call.secrets
    try:
        invalid = verify(redacted(completed.stdout, hidden), redacted(completed.stderr, hidden), completed.code).invalid
    except VerifyError:
        return None
    wrong = "\n".join(dict.fromkeys(item.text for item in invalid if DANGLING not in item.text))
    return wrong if wrong or any(MARKER in item.text for item in invalid) else None
