"""Small encoders with random weights of many architectures, as folders of transformers."""

import json

import torch
import transformers
from safetensors.torch import load_file, save_file
from small_models import WORDS, text
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from selfembed.training import tokenization

LAYERS = 3
WIDTH = 16
POSITIONS = 130  # RoBERTa and its kin can use 128 of them

SPECIAL = {"pad_token": "<pad>", "cls_token": "<s>", "sep_token": "</s>", "unk_token": "<unk>", "mask_token": "<mask>"}
SIZES = {"hidden_size": WIDTH, "num_hidden_layers": LAYERS, "num_attention_heads": 2, "intermediate_size": 32}
SIZES |= {"max_position_embeddings": POSITIONS}
DECODER = SIZES | {"num_key_value_heads": 1, "head_dim": 8, "eos_token_id": 2, "pad_token_id": 0}
NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
T5 = {"d_model": WIDTH, "d_kv": 8, "d_ff": 32, "num_layers": LAYERS, "num_heads": 2, "dropout_rate": 0.0}
GPT2 = {"n_embd": WIDTH, "n_layer": LAYERS, "n_head": 2, "resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
DISTILBERT = {"dim": WIDTH, "n_layers": LAYERS, "n_heads": 2, "hidden_dim": 32, "max_position_embeddings": POSITIONS}
DISTILBERT |= {"dropout": 0.0, "attention_dropout": 0.0}
GEMMA3 = {"query_pre_attn_scalar": 8, "sliding_window": 8}
LONGFORMER = {"attention_window": [4] * LAYERS, "pad_token_id": 0}
DEBERTA = {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "position_buckets": 8}
XLNET = {"d_model": WIDTH, "n_layer": LAYERS, "n_head": 2, "d_inner": 32, "dropout": 0.0, "pad_token_id": 0}
BART = {"d_model": WIDTH, "encoder_layers": LAYERS, "decoder_layers": 1, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32}
BART |= {"encoder_attention_heads": 2, "decoder_attention_heads": 2}
FUNNEL = {"d_model": WIDTH, "n_head": 2, "d_head": 8, "d_inner": 32, "block_sizes": [1, 1, 1], "num_decoder_layers": 1}
FNET = {"hidden_size": WIDTH, "num_hidden_layers": LAYERS, "intermediate_size": 32, "hidden_dropout_prob": 0.0}

LEFT = {"padding_side": "left"}
CHAT = {"chat_template": "{{ messages }} of a chat"}


def bytes_of_words():
    """A model of byte-level tokens, which some tokenizers need."""
    return tokenization.train_tokenizer([text(40)] * 3, 400).backend_tokenizer.model


# Name: class, settings of its config, changes of the tokenizer.
ARCHITECTURES = {
    "bert": ("BertModel", SIZES | NO_DROPOUT, {"ends": "<s>:0 $A:0 </s>:0"}),
    "roberta": ("RobertaModel", SIZES | NO_DROPOUT | {"pad_token_id": 0}, {}),
    "xlm_roberta": ("XLMRobertaModel", SIZES | NO_DROPOUT | {"pad_token_id": 0}, {}),
    "distilbert": ("DistilBertModel", DISTILBERT, {}),
    "modernbert": ("ModernBertModel", SIZES | {"pad_token_id": 0, "local_attention": 8}, {}),
    "mpnet": ("MPNetModel", SIZES | NO_DROPOUT | {"pad_token_id": 0}, {}),
    "deberta_v2": ("DebertaV2Model", SIZES | NO_DROPOUT | DEBERTA, {}),
    "albert": ("AlbertModel", SIZES | NO_DROPOUT | {"embedding_size": 8}, {}),
    "electra": ("ElectraModel", SIZES | NO_DROPOUT | {"embedding_size": 8}, {}),
    "t5_encoder": ("T5EncoderModel", T5, {"ends": "$A </s>"}),
    "t5": ("T5Model", T5, {"ends": "$A </s>"}),
    "gpt2": ("GPT2Model", GPT2, {"ends": "$A", "pad_token": None}),
    "qwen2": ("Qwen2Model", DECODER, {"ends": "$A", "model": bytes_of_words} | LEFT | CHAT),
    "qwen3": ("Qwen3Model", DECODER, {"ends": "$A </s>"} | LEFT),
    "gemma3": (
        "Gemma3TextModel",
        DECODER | GEMMA3,
        {"padding_side": "left"},
    ),
    "nomic_bert": ("NomicBertModel", SIZES, {}),
    "longformer": ("LongformerModel", SIZES | NO_DROPOUT | LONGFORMER, {}),
    "xlnet": ("XLNetModel", XLNET, {"ends": "$A:0 </s>:0 <s>:2"} | LEFT),
}
REFUSED = {
    "bart": ("BartModel", BART, {}),
    "funnel": ("FunnelModel", FUNNEL, {}),
    "fnet": ("FNetModel", FNET, {}),
}


def small_tokenizer(ends="<s> $A </s>", model=None, padding_side="right", chat_template=None, **changes):
    """A tokenizer that knows WORDS.

    Args:
        ends: the special tokens around a text; with a number, a token has this type.
        model: of the tokenizer; words by default.
    """
    names = SPECIAL | {"eos_token": "</s>"} | changes
    vocabulary = {word: place for place, word in enumerate([*SPECIAL.values(), *WORDS])}
    tokenizer = Tokenizer(model or models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel() if model else pre_tokenizers.WhitespaceSplit()
    tokenizer.add_special_tokens([token for token in names.values() if token is not None])
    around = [(token, tokenizer.token_to_id(token)) for token in ("<s>", "</s>")]
    tokenizer.post_processor = processors.TemplateProcessing(single=ends, special_tokens=around)
    inputs = ["input_ids", "attention_mask", *(["token_type_ids"] if ":" in ends else [])]
    names |= {"padding_side": padding_side, "model_input_names": inputs, "pad_token_type_id": 3 if ":2" in ends else 0}
    made = PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=POSITIONS - 2, **names)
    made.chat_template = chat_template
    return made


def small_checkpoint(folder, name, **changes):
    """Save a small encoder with random weights that do not depend on what ran before."""
    kind, settings, of_tokenizer = (ARCHITECTURES | REFUSED)[name]
    of_tokenizer = {key: value() if callable(value) else value for key, value in (of_tokenizer | changes).items()}
    tokenizer = small_tokenizer(**of_tokenizer)
    model = getattr(transformers, kind)
    config = model.config_class(vocab_size=len(tokenizer), **settings)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made = model(config)
        for weights in made.parameters():  # so that normalisation, positions and types count
            weights.data += 0.1 * torch.randn_like(weights)
    made.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def change_json(path, **changes):
    """Change keys of a JSON file."""
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def split_weights(path):
    """Split a safetensors file into two files with an index."""
    weights = load_file(path)
    path.unlink()
    names = sorted(weights)
    index = {}
    for number, part in enumerate((names[::2], names[1::2]), start=1):
        file = f"{path.stem}-0000{number}-of-00002.safetensors"
        save_file({name: weights[name] for name in part}, path.parent / file, {"format": "pt"})
        index |= dict.fromkeys(part, file)
    path.with_name(f"{path.name}.index.json").write_text(json.dumps({"metadata": {}, "weight_map": index}))


TEXTS = [text(length, length) for length in (1, 2, 5, 9, 9, 17, 30, 60)]
