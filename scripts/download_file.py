"""Download a file from the web and verify its checksum.

Starts again when a connection breaks or the server fails. Writes nothing if the checksum is wrong.
"""

from pathlib import Path

import pooch
import requests
from tqdm import tqdm

from selfembed.downloads.checksums import check_file
from selfembed.downloads.patience import PassingError, add_option, can_pass, patiently
from selfembed.errors import InputError, first_line
from selfembed.jobs import command_line, options
from selfembed.jobs.command_line import log
from selfembed.jobs.records import written_whole
from selfembed.settings.corpora import UrlSource

TIMEOUT = 30  # seconds without data


def download(url: str, expected: str, path: Path) -> None:
    """Download a file and verify its checksum.

    Raises PassingError if the network or the server fails, InputError for all other problems, such as another checksum.
    """
    try:
        # pooch sets the total; the line of the bar ends before an error is logged.
        with tqdm(total=1, unit="B", unit_scale=True, ncols=79) as bar:
            pooch.HTTPDownloader(progressbar=bar, timeout=TIMEOUT, chunk_size=1 << 16)(url, path, pooch=None)
    except requests.HTTPError as error:
        status = error.response.status_code
        kind = PassingError if can_pass(status) else InputError
        raise kind(f"{url}: the server responded with {status} {error.response.reason}") from error
    except requests.RequestException as error:
        raise PassingError(f"{url}: could not be downloaded: {first_line(error)}") from error
    except OSError as error:
        raise InputError(f"{url}: could not be downloaded: {first_line(error)}") from error
    check_file(path, expected, url)


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    options.add(parser, UrlSource, keep=("url", "sha256", "git_blob"))
    add_option(parser)
    command_line.add_outputs(parser, output="file")
    arguments = parser.parse_args(argv)
    with written_whole(arguments.output) as path:
        checksum = arguments.sha256 or arguments.git_blob
        patiently(lambda: download(arguments.url, checksum, path), arguments.patience)
        log.info("%s: %.1f MB", arguments.url, path.stat().st_size / 1e6)


if __name__ == "__main__":
    command_line.run(main)
