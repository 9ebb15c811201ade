"""Write the settings of a bag-of-words encoder: TF-IDF or its truncated SVD.

The encoder has no weights; it is fitted on the corpus that it embeds. Writes a folder with `0/bag_of_words.json`.
"""

from selfembed.jobs import command_line, options
from selfembed.jobs.records import write_json, written_whole
from selfembed.settings.encoders import SvdEncoder, TfidfEncoder


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    options.add(parser, TfidfEncoder | SvdEncoder, "encoder")
    command_line.add_outputs(parser, output="folder")
    arguments = parser.parse_args(argv)
    settings = {"components": None, "normalise": False} | arguments.encoder.model_dump(exclude={"type"})
    with written_whole(arguments.output) as folder:
        write_json(settings, folder / "0" / "bag_of_words.json")


if __name__ == "__main__":
    command_line.run(main)
