"""Describe a bag-of-words model: TF-IDF, or its truncated SVD.

It has no weights, since it is fitted on the corpus that it embeds. Writes a folder with `0/bag_of_words.json`.
"""

from pathlib import Path

from selfembed.jobs import command_line
from selfembed.jobs.command_line import at_least
from selfembed.jobs.records import write_json, written_whole


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    parser.add_argument("--type", choices=["tfidf", "svd"], required=True, help="kind of vectors")
    parser.add_argument("--components", type=at_least(1), help="singular vectors kept (type svd)")
    parser.add_argument("--normalise", action="store_true", help="scale vectors to unit length (type svd)")
    parser.add_argument("--output", required=True, help="folder to write")
    arguments = parser.parse_args(argv)
    with written_whole(Path(arguments.output)) as folder:
        write_json(
            {"components": arguments.components, "normalise": arguments.normalise}, folder / "0" / "bag_of_words.json"
        )


if __name__ == "__main__":
    command_line.run(main)
