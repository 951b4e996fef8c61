"""Pre-training: base models of the corpus. Training modules need torch, numpy and safetensors."""
