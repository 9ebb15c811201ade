"""The config of jobs that are submitted to a cluster: each starts Snakemake, which reads the config again."""

import hashlib
import json
from pathlib import Path
from typing import Any

FOLDER = Path(".snakemake", "configs")


def keep_config(workflow: Any, config: dict[str, Any]) -> None:
    """Let submitted jobs read a copy of the config, so that an edit of the config changes no job of this plan.

    Without a shared file system, Snakemake copies all sources, including config files, when it starts.

    Args:
        workflow: Snakemake's workflow, before its first job.
        config: the config that was planned.
    """
    shared = {usage.name for usage in workflow.storage_settings.shared_fs_usage}
    if workflow.local_exec or "SOURCES" not in shared:
        return
    content = json.dumps(config, indent=1, ensure_ascii=False)
    copy = FOLDER.absolute() / f"{hashlib.sha256(content.encode()).hexdigest()[:16]}.json"
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_text(content, encoding="utf-8")
    workflow.config_settings.configfiles = [copy]
