"""Which revision has run well: what breaks after a later correction is not its fault. Pure; monotonic seconds."""

from reconciler.frozen import frozen


@frozen
class Proof:
    """A revision that ran well is proven, until another one is.

    Attributes:
        proven: the last revision that ran well for long enough, empty if none has yet.
        candidate: the revision that runs well now, empty if none does.
        since: since when it does.
    """

    proven: str = ""
    candidate: str = ""
    since: float = 0.0

    def after(self, revision: str, *, well: bool, now: float, patience: float) -> "Proof":
        """Return the proof after a pass.

        Args:
            revision: in force.
            well: everything is as it wants it, at rest and healthy, and no patch is settling.
            now: the time.
            patience: for how long it must have been so. Just after another agent's patch all may look well.
        """
        if not well or not revision:
            return Proof(self.proven)
        since = self.since if revision == self.candidate else now
        return Proof(revision if now - since >= patience else self.proven, revision, since)

    def settled(self, revision: str) -> "Proof":
        """Return the proof after a patch has settled that broke nothing, with nothing of the revision left to do."""
        return Proof(revision, self.candidate, self.since)

    def without(self, revision: str) -> "Proof":
        """Return the proof after a revision was taken back."""
        return Proof() if revision == self.proven else self
