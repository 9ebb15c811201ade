"""Train a tokenizer on a corpus, for randomly initialised encoders.

Reads a corpus. Writes a folder that transformers loads as a tokenizer.
"""

from selfembed.jobs import command_line
from selfembed.jobs.command_line import at_least, existing, log
from selfembed.jobs.records import written_whole
from selfembed.texts.corpora import read_corpus


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    parser.add_argument("--corpus", type=existing, required=True, help="prepared corpus (Parquet)")
    parser.add_argument("--vocabulary-size", type=at_least(300), default=30522, help="number of tokens")
    parser.add_argument("--output", required=True, help="folder to write")
    arguments = parser.parse_args(argv)
    from selfembed.models.tokenization import train_tokenizer

    tokenizer = train_tokenizer(read_corpus(arguments.corpus)["text"], arguments.vocabulary_size)
    log.info("%d tokens", len(tokenizer))
    with written_whole(arguments.output) as folder:
        tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    command_line.run(main)
