"""Floor 1: rolling correlations, as fast as the machine allows."""

__all__ = ["ewma", "ewma_kernel", "pearson", "pearson_kernels", "pearson_partial", "pearson_plain", "spearman"]
