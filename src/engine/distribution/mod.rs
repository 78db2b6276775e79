//! Distributions: what a scenario writes ([`DistributionSpec`]) and what draws ([`Sampler`]).
