"""Where model 0 comes from: one file each, a function that writes a HF folder (weights, config, tokenizer with chat
template) at the path given to it; its further parameters are settings of the recipe."""
