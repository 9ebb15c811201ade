"""Download a file from the web and verify its checksum.

Restarts the download when a connection breaks. Writes nothing if the checksum is wrong.
"""

import logging
from pathlib import Path

import pooch
import requests

from selfembed.downloads.checksums import check_file
from selfembed.errors import InputError, first_line
from selfembed.jobs import command_line, options
from selfembed.jobs.command_line import log
from selfembed.jobs.records import written_whole
from selfembed.settings.corpora import UrlSource

TRIES = 4
TIMEOUT = 30  # seconds without data


def download(url: str, expected: str, path: Path) -> None:
    """Download a file, with retries, and verify its checksum.

    Raises InputError if the download fails or the checksum is wrong.
    """
    downloader = pooch.HTTPDownloader(progressbar=True, timeout=TIMEOUT, chunk_size=1 << 16)
    shelf = pooch.create(path.parent, "", registry={path.name: None}, urls={path.name: url}, retry_if_failed=TRIES - 1)
    pooch.get_logger().setLevel(logging.WARNING)
    try:
        shelf.fetch(path.name, downloader=downloader)
    except requests.HTTPError as error:
        found = f"{error.response.status_code} {error.response.reason}"
        raise InputError(f"{url}: the server responded with {found}") from error
    except (requests.RequestException, OSError) as error:
        raise InputError(f"{url}: could not be downloaded in {TRIES} tries: {first_line(error)}") from error
    check_file(path, expected, url)


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    options.add(parser, UrlSource, keep=("url", "sha256", "git_blob"))
    command_line.add_outputs(parser, output="file")
    arguments = parser.parse_args(argv)
    with written_whole(arguments.output) as path:
        download(arguments.url, arguments.sha256 or arguments.git_blob, path)
        log.info("%s: %.1f MB", arguments.url, path.stat().st_size / 1e6)


if __name__ == "__main__":
    command_line.run(main)
