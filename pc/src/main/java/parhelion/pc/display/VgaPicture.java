package parhelion.pc.display;

/** Makes a picture, or text, of what a display's registers and memory say. */
final class VgaPicture {
  /** No display of ours shows more, whatever its registers say. */
  private static final int MAX_LINES = 2048;

  private static final int TEXT_GLYPH_BYTES = 32;
  private static final int FONT_PLANE = 2;
  private static final int[] FONTS = {0, 0x4000, 0x8000, 0xc000, 0x2000, 0x6000, 0xa000, 0xe000};

  private final VgaRegisters vga;
  private final VgaMemory memory;
  private final VbeRegisters vbe;

  VgaPicture(VgaRegisters vga, VgaMemory memory, VbeRegisters vbe) {
    this.vga = vga;
    this.memory = memory;
    this.vbe = vbe;
  }

  Screenshot take() {
    if (vbe.isOn()) {
      return linear();
    }
    if ((vga.graphics[VgaRegisters.GRAPHICS_MISC] & 1) == 0) {
      return text();
    }
    boolean many = (vga.graphics[VgaRegisters.GRAPHICS_MODE] & 0x40) != 0;
    return many ? colours256() : planar();
  }

  private static Screenshot of(String text, int width, int[] rgb) {
    return new Screenshot(text, width, rgb.length / width, PngWriter.write(width, rgb));
  }

  private int crtc(int index) {
    return vga.crtc[index];
  }

  /** Lines that are displayed. */
  private int lines() {
    int overflow = crtc(VgaRegisters.CRTC_OVERFLOW);
    int end = crtc(VgaRegisters.CRTC_DISPLAY_END);
    return Math.min(MAX_LINES, (end | (overflow & 2) << 7 | (overflow & 0x40) << 3) + 1);
  }

  private int start() {
    return crtc(VgaRegisters.CRTC_START_HIGH) << 8 | crtc(VgaRegisters.CRTC_START_LOW);
  }

  private int lineHeight() {
    return (crtc(VgaRegisters.CRTC_MAX_SCAN_LINE) & 0x1f) + 1;
  }

  // -- Text.

  private Screenshot text() {
    int columns = crtc(1) + 1;
    int height = lineHeight();
    int rows = Math.max(1, lines() / height);
    int wide = (vga.sequencer[1] & 1) == 0 ? 9 : 8;
    int[] rgb = new int[columns * wide * rows * height];
    StringBuilder text = new StringBuilder();
    for (int row = 0; row < rows; row++) {
      StringBuilder line = new StringBuilder();
      for (int column = 0; column < columns; column++) {
        int at = start() + row * crtc(VgaRegisters.CRTC_OFFSET) * 2 + column;
        int code = memory.plane(0, 2 * at);
        int colours = memory.plane(1, 2 * at);
        line.append(CodePage.character(code));
        int first = (row * height * columns + column) * wide;
        glyph(rgb, first, columns * wide, code, colours, wide, isCursor(at));
      }
      text.append(line.toString().stripTrailing()).append('\n');
    }
    return of(vga.isShown() ? text.toString() : "", columns * wide, shown(rgb));
  }

  /** A display that is switched off is black. */
  private int[] shown(int[] rgb) {
    if (!vga.isShown()) {
      java.util.Arrays.fill(rgb, 0);
    }
    return rgb;
  }

  private boolean isCursor(int at) {
    int place = crtc(VgaRegisters.CRTC_CURSOR_HIGH) << 8 | crtc(VgaRegisters.CRTC_CURSOR_LOW);
    return at == place && (crtc(VgaRegisters.CRTC_CURSOR_START) & 0x20) == 0;
  }

  private void glyph(
      int[] rgb, int first, int stride, int code, int colours, int wide, boolean cursor) {
    boolean blinks = (vga.attribute[VgaRegisters.ATTRIBUTE_MODE] & 8) != 0;
    int ink = attributeColour(colours & 15);
    int paper = attributeColour(blinks ? colours >>> 4 & 7 : colours >>> 4);
    int select = vga.sequencer[VgaRegisters.SEQUENCER_FONT];
    int mapB = select & 3 | (select & 0x10) >>> 2;
    int mapA = select >>> 2 & 3 | (select & 0x20) >>> 3;
    int font = FONTS[(colours & 8) != 0 ? mapA : mapB] + code * TEXT_GLYPH_BYTES;
    boolean joins =
        (vga.attribute[VgaRegisters.ATTRIBUTE_MODE] & 4) != 0 && code >= 0xc0 && code < 0xe0;
    int from = crtc(VgaRegisters.CRTC_CURSOR_START) & 0x1f;
    int to = crtc(VgaRegisters.CRTC_CURSOR_END) & 0x1f;
    for (int y = 0; y < lineHeight(); y++) {
      int bits = memory.plane(FONT_PLANE, font + y) << 1;
      bits |= joins ? bits >>> 1 & 1 : 0;
      if (cursor && y >= from && y <= to) {
        bits = 0x1ff;
      }
      for (int x = 0; x < wide; x++) {
        rgb[first + y * stride + x] = (bits >>> 8 - x & 1) != 0 ? ink : paper;
      }
    }
  }

  /** A colour of the attribute controller's 16. */
  private int attributeColour(int index) {
    int entry = vga.attribute[index & vga.attribute[VgaRegisters.ATTRIBUTE_PLANES] & 15];
    int select = vga.attribute[VgaRegisters.ATTRIBUTE_SELECT];
    boolean low = (vga.attribute[VgaRegisters.ATTRIBUTE_MODE] & 0x80) != 0;
    int colour = low ? entry & 15 | (select & 3) << 4 : entry & 0x3f;
    return vga.colour(colour | (select & 0xc) << 4);
  }

  // -- Graphics.

  private int graphicsLines() {
    int doubled = (crtc(VgaRegisters.CRTC_MAX_SCAN_LINE) & 0x80) != 0 ? 2 : 1;
    return Math.max(1, lines() / lineHeight() / doubled);
  }

  private Screenshot planar() {
    int width = (crtc(1) + 1) * 8;
    int height = graphicsLines();
    int[] rgb = new int[width * height];
    for (int y = 0; y < height; y++) {
      int line = start() + y * crtc(VgaRegisters.CRTC_OFFSET) * 2;
      for (int x = 0; x < width; x++) {
        int colour = 0;
        for (int plane = 0; plane < 4; plane++) {
          colour |= (memory.plane(plane, line + x / 8) >>> 7 - x % 8 & 1) << plane;
        }
        rgb[y * width + x] = attributeColour(colour);
      }
    }
    return of("", width, shown(rgb));
  }

  private Screenshot colours256() {
    int width = (crtc(1) + 1) * 4;
    int height = graphicsLines();
    boolean chained = (vga.sequencer[VgaRegisters.SEQUENCER_MODE] & 8) != 0;
    int[] rgb = new int[width * height];
    for (int y = 0; y < height; y++) {
      int line = start() + y * crtc(VgaRegisters.CRTC_OFFSET) * 2;
      for (int x = 0; x < width; x++) {
        int offset = line + x / 4;
        int value = memory.plane(x & 3, chained ? offset * 4 : offset);
        rgb[y * width + x] = vga.colour(value);
      }
    }
    return of("", width, shown(rgb));
  }

  // -- The linear frame buffer.

  private Screenshot linear() {
    int width = vbe.get(VbeRegisters.WIDTH);
    int height = vbe.get(VbeRegisters.HEIGHT);
    int stride = vbe.lineBytes(vbe.get(VbeRegisters.VIRTUAL_WIDTH));
    int bytes = vbe.pixelBytes();
    long first =
        (long) vbe.get(VbeRegisters.Y_OFFSET) * stride
            + (long) vbe.get(VbeRegisters.X_OFFSET) * bytes;
    int[] rgb = new int[width * height];
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        rgb[y * width + x] = pixel(first + (long) y * stride + (long) x * bytes);
      }
    }
    return of("", width, rgb);
  }

  private int at(long offset) {
    return memory.bytes.get(offset);
  }

  private int pixel(long offset) {
    int low = at(offset) | at(offset + 1) << 8;
    return switch (vbe.get(VbeRegisters.DEPTH)) {
      case 8 -> vga.colour(at(offset));
      case 15 -> wide(low >>> 10, 5) << 16 | wide(low >>> 5, 5) << 8 | wide(low, 5);
      case 16 -> wide(low >>> 11, 5) << 16 | wide(low >>> 5, 6) << 8 | wide(low, 5);
      default -> low | at(offset + 2) << 16;
    };
  }

  /** A part of a colour of so many bits in 8. */
  private static int wide(int value, int bits) {
    int part = value & (1 << bits) - 1;
    return (part << 8 - bits | part >>> 2 * bits - 8) & 0xff;
  }
}
