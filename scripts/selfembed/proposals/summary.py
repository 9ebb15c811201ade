"""A proposal in a few lines, for the terminal."""

from selfembed.proposals.crop_limits import WAYS, not_counted
from selfembed.proposals.proposals import Proposal


def summary(proposal: Proposal) -> list[str]:
    """Summarise the texts and the chosen settings in a few lines."""
    path = proposal.texts
    sampled = ", a random sample (more texts would take hours and add little)"
    seeds = ", ".join(map(str, proposal.seeds))
    epochs = f"{proposal.epochs} epoch{'s' if proposal.epochs > 1 else ''}"
    steps = f"{epochs} of {proposal.steps_in_an_epoch:,} steps"
    lines = [f"{path}: {note}" if path not in note else note for note in proposal.notes]
    lines += [f"encoder {proposal.encoder.name}: {note}" for note in proposal.encoder.notes]
    lines.append(f"{path}: {proposal.n_texts:,} texts{sampled if proposal.sample else ''}")
    not_used = not_counted(proposal.repeated, proposal.sentences)
    lines.append(f"{path}: split into {WAYS[proposal.sentences]}{not_used}; crops are, for example:")
    lines += [f"    {crop}" for crop in proposal.crops]
    if proposal.n_grouped:
        column = proposal.source["group"]
        lines.append(f"groups: {proposal.n_grouped:,} texts for training share their '{column}' with another one")
    compared = "by titles, which find their texts" if proposal.titled else "by crops, because there are no titles"
    lines.append(f"search is judged {compared}; grouping {judged_by_labels(proposal)}")
    lines.append(
        f"{proposal.n_trained:,} texts for training ({steps}, seeds {seeds}), {proposal.n_held_out:,} held out for "
        f"evaluation; {proposal.n_texts - proposal.n_usable:,} are too short for either and only in the map"
    )
    return lines


def judged_by_labels(proposal: Proposal) -> str:
    """Describe how grouping is judged."""
    if proposal.labelled:
        return f"by the labels in '{proposal.source['label']}'"
    return "cannot be judged without labels (LABEL=…); to judge it by hand, run `selfembed ask` after `adapt`"
