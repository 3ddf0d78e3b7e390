"""Pictures with EfficientNet-Lite0: a feature to compare pictures, tags, and a joint space with text without training.

The joint space comes from ConSE (Norouzi et al., "Zero-Shot Learning by Convex Combination of Semantic Embeddings",
2014): a picture is a sum of the sentence embeddings of the 1000 ImageNet labels, a text is its own sentence embedding.
ConSE weighs the ten likeliest labels by their probabilities; here every label counts, by how far its logit lies from
the picture's mean, in standard deviations, squared with its sign kept. What a label is *not* says something too, and
probabilities, of which one takes nearly all, hide what stands beside it. Three views are averaged: the whole picture
squeezed to a square, and the square at each end.

Measured by ranking 242 key frames of six clips (four films and animations, two streets) for 50 free-text queries of
things seen in them, half of them looked at while choosing, right frame first: ConSE 0.24 and 0.28 (the other half),
this with one view 0.48 and 0.44, with three 0.60 and 0.64; chance 0.09. The other half was printed in every
comparison, so take its figures as optimistic. The cosine says nothing of whether a thing is there at all: the best
frame for what is nowhere scores as high. Tags do.


