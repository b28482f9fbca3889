"""Every kind of picture becomes the bytes that one sees."""

import numpy as np
import pytest
from picture_folders import save
from PIL import Image

from ae_cluster.common.bounded_files import UnreadableError
from ae_cluster.datasets.image_files import read_image

RAMP = np.arange(0, 240, 5, dtype=np.uint8).reshape(6, 8)
COLOURED = np.stack([RAMP, RAMP[::-1], RAMP[:, ::-1]], axis=2)


def test_lossless_formats_keep_every_byte(tmp_path):
    for ending in (".png", ".tif", ".bmp", ".TIFF", ".PNG"):
        save(tmp_path / f"grey{ending}", RAMP)
        np.testing.assert_array_equal(read_image(tmp_path / f"grey{ending}"), RAMP)
        save(tmp_path / f"colour{ending}", COLOURED)
        np.testing.assert_array_equal(read_image(tmp_path / f"colour{ending}"), COLOURED)
    save(tmp_path / "a.webp", COLOURED, lossless=True)
    np.testing.assert_array_equal(read_image(tmp_path / "a.webp"), COLOURED)


def test_a_jpeg_is_about_what_was_saved(tmp_path):
    smooth = np.asarray(Image.fromarray(COLOURED).resize((64, 48)))
    save(tmp_path / "a.jpg", smooth, quality=95)
    found = read_image(tmp_path / "a.jpg")
    assert np.abs(found.astype(int) - smooth).mean() < 4
    # Decoded at a quarter, it is still about what resizing all of it gives.
    small = np.asarray(Image.fromarray(smooth).resize((6, 6), Image.Resampling.BOX))
    assert np.abs(read_image(tmp_path / "a.jpg", (6, 6)).astype(int) - small).mean() < 6


def test_sixteen_bits_become_eight(tmp_path):
    deep = RAMP.astype(np.uint16) * 257
    for ending in (".png", ".tif"):
        save(tmp_path / f"a{ending}", deep)
        np.testing.assert_array_equal(read_image(tmp_path / f"a{ending}"), RAMP)
    save(tmp_path / "unit.tif", (RAMP / 255).astype(np.float32))
    np.testing.assert_array_equal(read_image(tmp_path / "unit.tif"), RAMP)
    for bad in (RAMP.astype(np.float32), RAMP.astype(np.int32) * 10**6):
        save(tmp_path / "bad.tif", bad)
        with pytest.raises(UnreadableError, match="8 or 16 bits"):
            read_image(tmp_path / "bad.tif")


def test_what_is_transparent_lies_over_white(tmp_path):
    alpha = np.zeros((6, 8), np.uint8)
    alpha[:, 4:] = 255
    save(tmp_path / "a.png", np.dstack([COLOURED, alpha]))
    found = read_image(tmp_path / "a.png")
    assert (found[:, :4] == 255).all()
    np.testing.assert_array_equal(found[:, 4:], COLOURED[:, 4:])
    save(tmp_path / "grey.png", np.dstack([RAMP, alpha]))
    found = read_image(tmp_path / "grey.png")
    assert found.shape == (6, 8)
    assert (found[:, :4] == 255).all()
    half = Image.fromarray(np.dstack([RAMP * 0, np.full((6, 8), 128, np.uint8)]))
    save(tmp_path / "half.png", half)
    assert np.unique(read_image(tmp_path / "half.png")).tolist() == [127]


def test_palettes_and_single_bits(tmp_path):
    palette = Image.fromarray(COLOURED).quantize(256)
    save(tmp_path / "a.png", palette)
    seen = np.asarray(palette.convert("RGB"))
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), seen)
    save(tmp_path / "clear.png", palette, transparency=int(np.asarray(palette)[0, 0]))
    assert (read_image(tmp_path / "clear.png")[0, 0] == 255).all()
    mask = RAMP > 100
    save(tmp_path / "bits.png", Image.fromarray(mask))
    np.testing.assert_array_equal(read_image(tmp_path / "bits.png"), mask * np.uint8(255))
    save(tmp_path / "ink.jpg", Image.new("CMYK", (8, 6), (0, 255, 255, 0)))
    assert (np.abs(read_image(tmp_path / "ink.jpg").astype(int) - (255, 0, 0)) < 12).all()


@pytest.mark.parametrize("ending", [".png", ".jpg", ".webp", ".tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_stand_as_they_were_held(tmp_path, ending, orientation):
    upright = np.zeros((16, 24, 3), np.uint8)
    upright[:8, :8] = (255, 0, 0)
    upright[8:, 16:] = (0, 0, 255)
    undo = {
        1: lambda a: a, 2: lambda a: a[:, ::-1], 3: lambda a: a[::-1, ::-1], 4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2), 6: lambda a: np.rot90(a, 1),
        7: lambda a: np.rot90(a, 2).transpose(1, 0, 2), 8: lambda a: np.rot90(a, -1),
    }[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    save(tmp_path / f"a{ending}", np.ascontiguousarray(undo(upright)), exif=exif)
    for size in (None, (16, 24), (8, 12)):
        found = read_image(tmp_path / f"a{ending}", size).astype(int)
        step = 16 // len(found)
        assert found.shape == (16 // step, 24 // step, 3)
        assert np.abs(found - upright[::step, ::step]).mean() < 30, (size, orientation)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_damaged_exif_is_no_damaged_picture(tmp_path):
    save(tmp_path / "a.jpg", COLOURED, exif=b"Exif\0\0II*\0" + b"\xff" * 30)
    assert read_image(tmp_path / "a.jpg").shape == (6, 8, 3)


@pytest.mark.parametrize("ending", [".png", ".webp", ".tif"])
def test_of_an_animation_the_first_frame_counts(tmp_path, ending):
    others = [Image.fromarray(255 - COLOURED)] * 3
    options = {"lossless": True} if ending == ".webp" else {}
    save(tmp_path / f"a{ending}", COLOURED, save_all=True, append_images=others, **options)
    np.testing.assert_array_equal(read_image(tmp_path / f"a{ending}"), COLOURED)


def test_contents_count_and_not_the_ending(tmp_path):
    save(tmp_path / "a.png", COLOURED)
    (tmp_path / "a.png").rename(tmp_path / "a.jpg")
    np.testing.assert_array_equal(read_image(tmp_path / "a.jpg"), COLOURED)


@pytest.mark.parametrize("ending", [".png", ".jpg", ".webp", ".tif", ".bmp"])
def test_a_truncated_picture_is_refused(tmp_path, ending):
    save(tmp_path / "whole.png", np.random.default_rng(0).integers(0, 255, (40, 40, 3), np.uint8))
    path = tmp_path / f"a{ending}"
    Image.open(tmp_path / "whole.png").save(path)
    content = path.read_bytes()
    for share in (0, 0.02, 0.3, 0.7):
        path.write_bytes(content[: int(share * len(content))])
        with pytest.raises(UnreadableError, match=r"truncated|is no PNG|in it"):
            read_image(path)
