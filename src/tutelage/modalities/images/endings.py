"""Endings of the names of files that count as images."""

ENDINGS = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".gif", ".bmp", ".dib", ".webp", ".avif", ".tif", ".tiff",
    ".ppm", ".pgm", ".pbm", ".pnm", ".jp2", ".j2k", ".tga", ".pcx", ".ico", ".heic", ".heif", ".svg",
)  # fmt: skip
"""Endings, in lower case, of the files in a folder that count as images."""
