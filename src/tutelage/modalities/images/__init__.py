"""Images: decoding, checks and views, their readers, and the networks that are trained on them."""
