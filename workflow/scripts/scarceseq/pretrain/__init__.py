"""Pre-training: masked-expression reconstruction on the corpus. Training modules need torch, numpy and safetensors."""
