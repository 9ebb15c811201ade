"""Targets that Snakemake does not know."""

import logging
import re
from typing import Any

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
