"""Train a tokenizer on a corpus, for randomly initialised encoders.

Writes a folder that transformers loads as a tokenizer.
"""

from selfembed.jobs import command_line, options
from selfembed.jobs.command_line import log
from selfembed.jobs.records import written_whole
from selfembed.settings.encoders import TrainedTokenizer
from selfembed.texts.corpora import read_corpus


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    command_line.add_inputs(parser, "corpus")
    options.add(parser, TrainedTokenizer, keep=("vocabulary_size",))
    command_line.add_outputs(parser, output="folder")
    arguments = parser.parse_args(argv)
    from selfembed.training.tokenization import train_tokenizer

    tokenizer = train_tokenizer(read_corpus(arguments.corpus)["text"], arguments.vocabulary_size)
    log.info("%d tokens", len(tokenizer))
    with written_whole(arguments.output) as folder:
        tokenizer.save_pretrained(folder)


if __name__ == "__main__":
    command_line.run(main)
