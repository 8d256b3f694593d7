"""Foreign names of tensors and what they are called here, as rules for `checkpoint`.

Each rule is a regular expression and its replacement; the rules of a table are applied in order,
each to what the ones before it have left.
"""

import re

Rules = tuple[tuple[str, str], ...]

T2S_RULES: Rules = (
    (r"^model\.", ""),
    (r"ar_text_embedding\.word_embeddings", "phones"),
    (r"ar_audio_embedding\.word_embeddings", "tokens"),
    (r"ar_text_position\.alpha", "text_positions.scale"),
    (r"ar_audio_position\.alpha", "audio_positions.scale"),
    (r"ar_predict_layer", "head"),
    (r"bert_proj", "bert"),
    (r"h\.layers", "layers"),
    (r"self_attn\.in_proj_", "attention.qkv."),
    (r"self_attn\.out_proj", "attention.out"),
    (r"linear1", "expand"),
    (r"linear2", "contract"),
    (r"norm1", "attention_norm"),
    (r"norm2", "feed_norm"),
)

ENCODER_RULES: Rules = (
    (r"\.attn_layers\.(\d+)", r".\1.attention"),
    (r"\.norm_layers_1\.(\d+)", r".\1.attention_norm"),
    (r"\.ffn_layers\.(\d+)", r".\1.feed"),
    (r"\.norm_layers_2\.(\d+)", r".\1.feed_norm"),
    (r"\.emb_rel_k$", ".distance_keys"),
    (r"\.emb_rel_v$", ".distance_values"),
    (r"\.conv_q\.", ".query."),
    (r"\.conv_k\.", ".key."),
    (r"\.conv_v\.", ".value."),
    (r"\.conv_o\.", ".out."),
    (r"\.conv_1\.", ".expand."),
    (r"\.conv_2\.", ".contract."),
    (r"\.gamma$", ".weight"),
    (r"\.beta$", ".bias"),
    (r"\.encoder_ssl\.", ".content_layers."),
    (r"\.encoder_text\.", ".phone_layers."),
    (r"\.encoder2\.", ".joint_layers."),
    (r"\.mrte\.cross_attention\.", ".mrte.attention."),
    (r"\.mrte\.c_pre\.", ".mrte.content_in."),
    (r"\.mrte\.text_pre\.", ".mrte.phones_in."),
    (r"\.mrte\.c_post\.", ".mrte.out."),
    (r"^enc_p\.ssl_proj\.", "enc_p.content_in."),
    (r"^enc_p\.text_embedding\.", "enc_p.phones."),
    (r"^enc_p\.proj\.", "enc_p.latent_out."),
    (r"^enc_p\.", "text_encoder."),
)

WAVENET_RULES: Rules = (
    (r"\.enc\.in_layers\.", ".wavenet.gates."),
    (r"\.enc\.res_skip_layers\.", ".wavenet.mixes."),
    (r"\.enc\.cond_layer\.", ".wavenet.style."),
    (r"^(enc_q|flow\.flows\.\d+)\.pre\.", r"\1.enter."),
    (r"^(flow\.flows\.\d+)\.post\.", r"\1.leave."),
    (r"^enc_q\.proj\.", "enc_q.leave."),
)

GENERATOR_RULES: Rules = (
    (r"^dec\.conv_pre\.", "generator.enter."),
    (r"^dec\.conv_post\.", "generator.leave."),
    (r"^dec\.cond\.", "generator.style."),
    (r"^dec\.ups\.", "generator.upsamplings."),
    (r"^dec\.resblocks\.", "generator.resblocks."),
    (r"\.convs1\.", ".dilated."),
    (r"\.convs2\.", ".plain."),
)

STYLE_RULES: Rules = (
    (r"^ref_enc\.spectral\.0\.fc\.", "style_encoder.frame_in."),
    (r"^ref_enc\.spectral\.3\.fc\.", "style_encoder.frame_hidden."),
    (r"^ref_enc\.temporal\.(\d+)\.conv1\.conv\.", r"style_encoder.convs.\1.conv."),
    (r"^ref_enc\.slf_attn\.w_qs\.", "style_encoder.attention.query."),
    (r"^ref_enc\.slf_attn\.w_ks\.", "style_encoder.attention.key."),
    (r"^ref_enc\.slf_attn\.w_vs\.", "style_encoder.attention.value."),
    (r"^ref_enc\.slf_attn\.fc\.", "style_encoder.attention.out."),
    (r"^ref_enc\.fc\.fc\.", "style_encoder.out."),
    (r"^sv_emb\.", "speaker.enter."),
    (r"^prelu\.", "speaker.activation."),
    (r"^ge_to512\.", "speaker.for_text."),
)

TOKEN_RULES: Rules = (
    (r"^ssl_proj\.", "ssl_in."),
    (r"^quantizer\.vq\.layers\.0\._codebook\.embed$", "codebook.entries"),
)

SOVITS_RULES = ENCODER_RULES + WAVENET_RULES + GENERATOR_RULES + STYLE_RULES + TOKEN_RULES
# What only the training of the codebook needs, which is over.
SOVITS_UNUSED = re.compile(
    r"^quantizer\.vq\.layers\.0\._codebook\.(inited|cluster_size|embed_avg)$"
)

DISCRIMINATOR_RULES: Rules = ((r"\.conv_post\.", ".score."),)

SPEAKER_RULES: Rules = (
    (r"^layer(\d)\.", r"stages.\1."),
    (r"^layer3_ds\.", "downsample."),
    (r"^fuse34\.", "fusion."),
    (r"\.fuse_models\.", ".fusions."),
    (r"\.local_att\.0\.", ".contract."),
    (r"\.local_att\.1\.", ".contract.norm."),
    (r"\.local_att\.3\.", ".expand."),
    (r"\.local_att\.4\.", ".expand.norm."),
    (r"\.shortcut\.0\.", ".shortcut."),
    (r"\.shortcut\.1\.", ".shortcut.norm."),
    (r"\.convs\.(\d+)\.", r".branches.\1."),
    (r"\.bns\.(\d+)\.", r".branches.\1.norm."),
    (r"(^|\.)conv1\.", r"\1enter."),
    (r"(^|\.)bn1\.", r"\1enter.norm."),
    (r"\.conv3\.", ".leave."),
    (r"\.bn3\.", ".leave.norm."),
)

HUBERT_RULES: Rules = (
    (r"^hubert\.", ""),
    (r"^feature_extractor\.conv_layers\.0\.layer_norm\.", "wave_encoder.norm."),
    (r"^feature_extractor\.conv_layers\.(\d+)\.conv\.", r"wave_encoder.convs.\1."),
    (r"^feature_projection\.layer_norm\.", "wave_norm."),
    (r"^feature_projection\.projection\.", "enter."),
    (r"^encoder\.pos_conv_embed\.", "positions."),
    (r"parametrizations\.weight\.original0$", "weight_g"),
    (r"parametrizations\.weight\.original1$", "weight_v"),
    (r"^encoder\.layer_norm\.", "norm."),
    (r"^encoder\.layers\.", "layers."),
    (r"\.attention\.q_proj\.", ".query."),
    (r"\.attention\.k_proj\.", ".key."),
    (r"\.attention\.v_proj\.", ".value."),
    (r"\.attention\.out_proj\.", ".out."),
    (r"\.layer_norm\.", ".attention_norm."),
    (r"\.feed_forward\.intermediate_dense\.", ".expand."),
    (r"\.feed_forward\.output_dense\.", ".contract."),
    (r"\.final_layer_norm\.", ".feed_norm."),
)
HUBERT_UNUSED = re.compile(r"masked_spec_embed$")  # only for its training

BERT_RULES: Rules = (
    (r"^bert\.", ""),
    (r"\.gamma$", ".weight"),  # in files that were made from TensorFlow's
    (r"\.beta$", ".bias"),
    (r"^embeddings\.word_embeddings\.", "words."),
    (r"^embeddings\.position_embeddings\.", "places."),
    (r"^embeddings\.token_type_embeddings\.", "kinds."),
    (r"^embeddings\.LayerNorm\.", "norm."),
    (r"^encoder\.layer\.", "layers."),
    (r"\.attention\.self\.", "."),
    (r"\.attention\.output\.dense\.", ".out."),
    (r"\.attention\.output\.LayerNorm\.", ".attention_norm."),
    (r"\.intermediate\.dense\.", ".expand."),
    (r"\.output\.dense\.", ".contract."),
    (r"\.output\.LayerNorm\.", ".feed_norm."),
)
BERT_UNUSED = re.compile(r"^(bert\.)?pooler\.|^cls\.|position_ids$")  # its own tasks

SPEAKER_UNUSED = re.compile(r"num_batches_tracked$|^seg_")  # the end of the verification network
