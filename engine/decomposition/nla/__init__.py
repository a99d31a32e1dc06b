"""The paper-faithful decomposition, engine `mlp`: Layered Neural Atlases (Kasten et al. 2021)."""
