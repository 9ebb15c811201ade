"""Encoders as sentence-transformers models: load, initialise, assemble with a pooling, save."""

import json
import shutil
import tempfile
from pathlib import Path

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer import modules as known_modules
from sentence_transformers.sentence_transformer.modules import Dense, Pooling, Transformer
from transformers import AutoTokenizer, BertConfig, BertModel, PreTrainedModel

from selfembed.errors import InputError
from selfembed.jobs.command_line import log
from selfembed.jobs.records import write_json
from selfembed.models import adapters, checkpoints, mpnet_attention, own_modules, token7, token_pooling, word_counts
from selfembed.models.bert_with_adapter import BertWithAdapter
from selfembed.models.checkpoints import last_layer
from selfembed.models.token_embeddings import TokenEmbeddings, TokenEmbeddingsConfig
from selfembed.models.token_pooling import TokenPooling
from selfembed.models.word_counts import WordCounts

STANDARD_POOLINGS = {"mean": "mean", "cls": "cls", "last": "lasttoken"}
LOCAL = {"local_files_only": True, "trust_remote_code": False}  # offline and without custom code
# Modules whose code is saved with a model.
OWN_CODE = {TokenPooling: Path(token_pooling.__file__), WordCounts: Path(word_counts.__file__)}


def load(folder: Path, layers: int | None = None) -> Transformer:
    """Load the encoder of a checkpoint or saved model, without its pooling, in fp32, offline and without custom code.

    An adapter in the folder is part of the encoder. Missing weights (such as BERT's unused pooler) are initialised with
    a fixed seed. Texts are encoded as they are, without a chat template, and padded on the right, also by the model
    that is saved.

    Args:
        layers: truncate after this many transformer layers; 0 keeps only the embedding module. A final normalisation,
            as in GPT-2, follows the remaining layers.

    Raises InputError if the model cannot be loaded or has fewer layers; transformers would add random ones.
    """
    last = last_layer(folder)
    if layers is not None and not 0 <= layers <= last:
        raise InputError(f"{folder}: layer {layers} does not exist; expected: 0 to {last}")
    needed = checkpoints.NEEDED if layers in (None, last) else f"an encoder that can be cut after layer {layers}"
    with torch.random.fork_rng(devices=[]), checkpoints.loading(folder, needed):
        torch.manual_seed(0)
        encoder = Transformer(
            str(folder),
            model_kwargs={"dtype": torch.float32, "use_safetensors": True, **LOCAL},
            processor_kwargs=dict(LOCAL),
            config_kwargs=LOCAL | ({} if layers is None else checkpoints.cut(folder, layers)),
            modality_config={"text": {"method": "forward", "method_output_name": "last_hidden_state"}},
            module_output_name="token_embeddings",
        )
        if (folder / adapters.FOLDER).is_dir():
            adapters.add(encoder, folder / adapters.FOLDER, last)
    mpnet_attention.fuse(encoder.model)
    pad_on_the_right(encoder, folder)
    return encoder


def pad_on_the_right(encoder: Transformer, folder: Path) -> None:
    """Make the tokenizer of an encoder pad on the right, with its end token if it has no padding token.

    Padding is masked, so its token and side do not change the vectors of encoders with relative positions. Encoders
    with absolute positions, such as GPT-2, count them from the left.

    Raises InputError if the tokenizer has neither token.
    """
    tokenizer = encoder.tokenizer
    tokenizer.padding_side = "right"
    if tokenizer.pad_token is not None:
        return
    if tokenizer.eos_token is None:
        raise InputError(f"{folder}: the tokenizer has no padding token; expected: pad_token in tokenizer_config.json")
    log.info("the tokenizer has no padding token; its end token %s is used", tokenizer.eos_token)
    tokenizer.pad_token = tokenizer.eos_token


def load_whole(folder: Path) -> SentenceTransformer:
    """Load a saved model with its own modules, prompts and maximum length, in fp32, offline and without custom code.

    Raises InputError if it cannot be loaded.
    """
    own = own_modules.read(folder)
    if own and any(module.kind == "WordCounts" for module in own.modules):
        return with_own_modules(load(folder), folder, own.max_length, None)
    with torch.random.fork_rng(devices=[]), checkpoints.loading(folder):
        torch.manual_seed(0)
        weights = {"dtype": torch.float32, "use_safetensors": True}
        model = SentenceTransformer(str(folder), device="cpu", model_kwargs=weights, **LOCAL)
    mpnet_attention.fuse(model[0].model)
    return model


def default_prompt(model: SentenceTransformer) -> str | None:
    """Return the prompt that `model.encode` puts before every text; None if there is none."""
    return None if model.default_prompt_name is None else model.prompts[model.default_prompt_name] or None


def with_own_modules(encoder: Transformer, folder: Path, max_length: int, prompt: str | None) -> SentenceTransformer:
    """Build the model that an encoder's folder describes: own modules and prompts; without, `pooling_without_modules`.

    Args:
        folder: folder of the encoder, or a copy of it.
        max_length: maximum number of tokens of the transformer; `save_as_it_came` adds that of the own modules.
        prompt: name of the prompt that precedes every text; by default the default prompt of the folder.

    Raises InputError if a module cannot be loaded or does not fit the others, or if there is no such prompt.
    """
    own = own_modules.read(folder, prompt)
    if own is None:
        return assemble(encoder, pooling_without_modules(encoder), max_length)
    with checkpoints.loading(folder):
        modules = [
            module_class(module.kind).load(str(folder), subfolder=module.folder, **LOCAL)  # ty: ignore[missing-attribute]
            for module in own.modules
        ]
        prompts = {"prompts": own.prompts, "default_prompt_name": own.prompt}
        model = SentenceTransformer(modules=[encoder, *modules], device="cpu", **prompts, **own.others)
    model.max_seq_length = checked_length(encoder, max_length)
    with checkpoints.loading(folder):  # widths can differ between modules
        model.encode(["A text."], show_progress_bar=False)
    return model


def module_class(kind: str) -> type[torch.nn.Module]:
    """Return the class of an own module."""
    return WordCounts if kind == "WordCounts" else getattr(known_modules, kind)


def pooling_without_modules(encoder: Transformer) -> str:
    """The pooling that sentence-transformers assumes for a folder without modules: `mean`, or `last` for decoders."""
    config = encoder.model.config
    is_decoder = any(name.endswith("ForCausalLM") for name in (config.architectures or [])[:1])
    return "last" if is_decoder and getattr(config, "is_causal", True) else "mean"


def save_as_it_came(model: SentenceTransformer, source: Path, folder: Path, card: str) -> None:
    """Save a base model; sentence-transformers loads it with the settings of the transformer in `source`.

    The tokenizer has the maximum length of `model`. If that of the source is less, it is saved beside the tokenizer,
    where only `load_whole` and sentence-transformers read it.
    """
    save(model, folder, card)
    if own := own_modules.read(source):
        limits = [own.max_length, model.max_seq_length]
        lengths = {"max_seq_length": min(limit for limit in limits if limit is not None)}
        settings = folder / own_modules.SETTINGS[0]
        others = {key: value for key, value in own.settings.items() if key not in ("model_args", "model_kwargs")}
        write_json(own_modules.read_json(settings) | others | lengths, settings)  # arguments may ask for other dtypes


def without_head(model: SentenceTransformer, modules: int, max_length: int) -> SentenceTransformer:
    """The first modules of a model on the CPU, with its prompts and another maximum length; weights are shared."""
    prompts = {"prompts": dict(model.prompts), "default_prompt_name": model.default_prompt_name}
    others = {"similarity_fn_name": model.similarity_fn_name, "truncate_dim": model.truncate_dim}
    finished = SentenceTransformer(modules=list(model)[:modules], device="cpu", **prompts, **others)
    finished.max_seq_length = max_length
    return finished


def random_bert(
    tokenizer_folder: Path,
    *,
    seed: int,
    max_length: int,
    layers: int,
    hidden_size: int,
    attention_heads: int,
    intermediate_size: int,
    dropout: float,
) -> SentenceTransformer:
    """A BERT with random weights (N(0, 0.02²), transformers' own initialisation) that depend on `seed` alone.

    Raises InputError if the folder has no tokenizer.
    """
    with checkpoints.loading(tokenizer_folder):
        tokenizer = AutoTokenizer.from_pretrained(tokenizer_folder, **LOCAL)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=hidden_size,
        num_hidden_layers=layers,
        num_attention_heads=attention_heads,
        intermediate_size=intermediate_size,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
        max_position_embeddings=max(512, max_length),
        pad_token_id=tokenizer.pad_token_id,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        bert = BertModel(config)
    return from_parts(bert, tokenizer, max_length)


def embedding_layer(encoder: Transformer, max_length: int) -> SentenceTransformer:
    """The token-embedding matrix of an encoder, with mean pooling over all tokens including special tokens."""
    matrix = encoder.model.get_input_embeddings().weight.detach()
    model = TokenEmbeddings(TokenEmbeddingsConfig(*matrix.shape, pad_token_id=encoder.tokenizer.pad_token_id))
    model.word_embeddings.weight.data.copy_(matrix)
    return from_parts(model, encoder.tokenizer, max_length)


def from_parts(model: PreTrainedModel, tokenizer, max_length: int) -> SentenceTransformer:
    """Build a text-embedding model with mean pooling from a transformers model and a tokenizer."""
    with tempfile.TemporaryDirectory() as folder:  # the module can only be created from a folder
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return assemble(load(Path(folder)), "mean", max_length)


def assemble(transformer: Transformer, pooling: str, max_length: int) -> SentenceTransformer:
    """Build a text-embedding model from a transformer and a pooling, on the CPU.

    Raises InputError if `max_length` exceeds the positions of the transformer.
    """
    transformer.max_seq_length = checked_length(transformer, max_length)
    return SentenceTransformer(
        modules=[transformer, pooling_module(pooling, transformer.get_embedding_dimension())], device="cpu"
    )


def checked_length(transformer: Transformer, max_length: int) -> int:
    """Return `max_length`; raise InputError if it exceeds the positions of the transformer."""
    longest = longest_input(transformer, max_length)
    if max_length > longest:
        raise InputError(f"max_length {max_length} exceeds the encoder's positions; expected: at most {longest}")
    return max_length


def longest_input(transformer: Transformer, wanted: int) -> int:
    """Number of tokens that an encoder has positions for; `wanted` if there is no limit.

    MPNet, RoBERTa and XLM-R number positions from the padding id + 1, so 512 of their 514 positions are usable.
    """
    positions = getattr(transformer.model.config, "max_position_embeddings", None) or 0
    if positions <= 0:  # XLNet says -1
        return wanted
    for name, module in transformer.model.named_modules():
        if name.endswith("position_embeddings") and getattr(module, "padding_idx", None) is not None:
            return positions - module.padding_idx - 1
    return positions


def pooling_module(pooling: str, dimension: int) -> torch.nn.Module:
    """The sentence-transformers module of a pooling: `mean`, `cls`, `last` or `token7`."""
    if pooling == "token7":
        return TokenPooling(dimension, token7.INDEX)
    return Pooling(dimension, pooling_mode=STANDARD_POOLINGS[pooling])


def projection_head(dimension: int, widths: list[int], seed: int) -> list[Dense]:
    """Linear layers of the given widths with ReLU between them, with torch's default initialisation."""
    head = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for place, width in enumerate(widths):
            activation = torch.nn.Identity() if place == len(widths) - 1 else torch.nn.ReLU()
            head.append(Dense(dimension, width, activation_function=activation))
            dimension = width
    return head


def freeze_below(encoder: Transformer, unfrozen_layers: int) -> None:
    """Freeze all parameters except those of the top transformer layers.

    Raises InputError if the encoder has fewer layers or its list of layers is not found.
    """
    last = encoder.model.config.num_hidden_layers
    if last == 0:
        raise InputError(
            f"unfrozen_layers is {unfrozen_layers}, but the encoder has no layers; expected: no unfrozen_layers"
        )
    if not 1 <= unfrozen_layers <= last:
        raise InputError(f"unfrozen_layers is {unfrozen_layers}, the encoder has {last} layers; expected: 1 to {last}")
    # The name of the list of layers depends on the architecture; its length is in the config.
    lists = [module for module in encoder.model.modules() if isinstance(module, torch.nn.ModuleList)]
    layers = next((found for found in lists if len(found) == last), None)
    if layers is None:
        raise InputError(f"unfrozen_layers: no list of {last} layers found in {type(encoder.model).__name__}")
    encoder.model.requires_grad_(False)
    layers[last - unfrozen_layers :].requires_grad_(True)


def needs_own_code(model: SentenceTransformer) -> bool:
    """Whether loading the saved model needs the code saved with it (trust_remote_code=True)."""
    return any(isinstance(module, (*OWN_CODE, TokenEmbeddings, BertWithAdapter)) for module in model.modules())


def save(model: SentenceTransformer, folder: Path, card: str) -> None:
    """Save a model with `card` as its README.md; it loads with SentenceTransformer(folder).

    The code of a model that `needs_own_code` is saved with it; it loads with trust_remote_code=True.
    """
    model.save(str(folder), create_model_card=False)
    (folder / "README.md").write_text(card, encoding="utf-8")
    modules_file = folder / "modules.json"
    modules = json.loads(modules_file.read_text(encoding="utf-8"))
    for module in modules:
        for kind, file in OWN_CODE.items():
            if module["type"] == f"{kind.__module__}.{kind.__name__}":
                module["type"] = f"{file.stem}.{kind.__name__}"
                shutil.copy(file, folder)
    modules_file.write_text(json.dumps(modules, indent=2), encoding="utf-8")
