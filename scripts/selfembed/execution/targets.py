"""The list of targets, and targets that Snakemake does not know."""

import logging
import re
from typing import Any

from selfembed.costs.hours import experiments_of_targets
from selfembed.costs.work import Count
from selfembed.doctor import plan
from selfembed.settings.figures import Described
from selfembed.settings.schema import Settings
from selfembed.study.expansion import Study
from selfembed.study.messages import did_you_mean

UNKNOWN = re.compile(r"(?<=No rule to produce )\w+(?= )")


def suggest(workflow: Any, logger: logging.Logger) -> None:
    """Add the most similar target to Snakemake's error about a name that no rule produces.

    Args:
        workflow: Snakemake's workflow; its rules are complete when the error occurs.
        logger: Snakemake's logger.
    """

    def add(record: logging.LogRecord) -> bool:
        if getattr(record, "exception", None) == "MissingRuleException":
            names = [rule.name for rule in workflow.rules if not rule.has_wildcards()]
            record.msg = UNKNOWN.sub(lambda name: name[0] + did_you_mean(name[0], names), record.getMessage())
        return True

    logger.addFilter(add)


def describe(workflow: Any, name: str, shown: Described) -> None:
    """Describe a figure or table for `snakemake --list-target-rules`: its title and what it shows."""
    kind = str(type(shown).__doc__).splitlines()[0]
    target = workflow.get_rule(workflow.modifier.modify_rulename(name))
    target.docstring = f"{shown.title}: {kind}" if shown.title else kind


def list_with_hours(workflow: Any, settings: Settings, study: Study) -> None:
    """Have `snakemake --list-target-rules` say how many hours each figure and table takes without any results."""
    name_of_rule, list_rules = workflow.modifier.modify_rulename, workflow.list_rules

    def list_rules_with_hours(only_targets: bool = False) -> None:
        count = Count.here(settings, study)
        for name, experiments in experiments_of_targets(settings).items():
            if experiments and workflow.is_rule(name_of_rule(name)):
                workflow.get_rule(name_of_rule(name)).docstring += f" Hours: {plan.on_both(count, experiments)}."
        list_rules(only_targets)

    workflow.list_rules = list_rules_with_hours
