package parhelion.pc.acpi;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/**
 * Writes ACPI Machine Language (ACPI 6.4, chapter 20), as much of it as descriptions of a board's
 * devices need: scopes, devices, names, integers, strings, packages, resource templates, and
 * methods that ask registers.
 */
final class Aml {
  private static final int NAME_OP = 0x08;
  private static final int BUFFER_OP = 0x11;
  private static final int PACKAGE_OP = 0x12;
  private static final int SCOPE_OP = 0x10;
  private static final int EXTENDED = 0x5b;
  private static final int DEVICE_OP = 0x82;
  private static final int REGION_OP = 0x80;
  private static final int FIELD_OP = 0x81;
  private static final int METHOD_OP = 0x14;
  private static final int LOCAL0_OP = 0x60;
  private static final int STORE_OP = 0x70;
  private static final int AND_OP = 0x7b;
  private static final int NOTIFY_OP = 0x86;
  private static final int IF_OP = 0xa0;
  private static final int SYSTEM_IO = 1;

  /** Flags of a field: accesses of 32 bits; what is not written is written as zeroes. */
  private static final int WHOLE_32 = 0x43;

  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  byte[] bytes() {
    return out.toByteArray();
  }

  Aml raw(byte[] bytes) {
    out.write(bytes, 0, bytes.length);
    return this;
  }

  private Aml raw(int... bytes) {
    for (int b : bytes) {
      out.write(b);
    }
    return this;
  }

  private Aml little(long value, int bytes) {
    for (int i = 0; i < bytes; i++) {
      out.write((int) (value >>> 8 * i));
    }
    return this;
  }

  // --- terms ---

  Aml scope(String name, Aml body) {
    return raw(SCOPE_OP).enclosed(new Aml().path(name).raw(body.bytes()));
  }

  Aml device(String name, Aml body) {
    return raw(EXTENDED, DEVICE_OP).enclosed(new Aml().path(name).raw(body.bytes()));
  }

  /** A name for what {@code value} is. */
  Aml name(String name, Aml value) {
    return raw(NAME_OP).path(name).raw(value.bytes());
  }

  Aml name(String name, long value) {
    return name(name, new Aml().integer(value));
  }

  // --- methods and what they do ---

  /** A method of so many arguments. */
  Aml method(String name, int arguments, Aml body) {
    return raw(METHOD_OP).enclosed(new Aml().path(name).raw(arguments).raw(body.bytes()));
  }

  /** Registers of 32 bits each at ports, which are read and written whole. */
  Aml registers(String region, int port, String... names) {
    raw(EXTENDED, REGION_OP).path(region).raw(SYSTEM_IO).integer(port).integer(4L * names.length);
    Aml fields = new Aml().path(region).raw(WHOLE_32);
    for (String name : names) {
      fields.path(name).raw(32);
    }
    return raw(EXTENDED, FIELD_OP).enclosed(fields);
  }

  /** Puts what {@code value} is into a name or a local variable. */
  Aml store(Aml value, Aml target) {
    return raw(STORE_OP).raw(value.bytes()).raw(target.bytes());
  }

  /** What there is of {@code bits} in a value. */
  Aml and(Aml value, long bits) {
    return raw(AND_OP).raw(value.bytes()).integer(bits).raw(0);
  }

  Aml when(Aml condition, Aml body) {
    return raw(IF_OP).enclosed(new Aml().raw(condition.bytes()).raw(body.bytes()));
  }

  /** Tells the operating system of a device. */
  Aml notify(String device, int what) {
    return raw(NOTIFY_OP).path(device).integer(what);
  }

  /** A name as a term: what it holds, or, of a method, a call. */
  static Aml called(String name) {
    return new Aml().path(name);
  }

  static Aml local(int number) {
    return new Aml().raw(LOCAL0_OP + number);
  }

  /** A package length, which counts itself, and the bytes that it speaks of. */
  private Aml enclosed(Aml body) {
    byte[] bytes = body.bytes();
    int length = bytes.length;
    if (length + 1 < 1 << 6) {
      raw(length + 1);
    } else {
      int extra = length + 2 < 1 << 12 ? 1 : length + 3 < 1 << 20 ? 2 : 3;
      int whole = length + 1 + extra;
      raw(extra << 6 | whole & 15);
      little(whole >>> 4, extra);
    }
    return raw(bytes);
  }

  /** Segments of four characters, with dots between them and perhaps a backslash before. */
  private Aml path(String text) {
    String rest = text;
    if (rest.startsWith("\\")) {
      raw('\\');
      rest = rest.substring(1);
    }
    String[] segments = rest.split("\\.", -1);
    if (segments.length == 2) {
      raw(0x2e);
    } else if (segments.length > 2) {
      raw(0x2f, segments.length);
    }
    for (String segment : segments) {
      if (segment.isEmpty() || segment.length() > 4) {
        throw new IllegalArgumentException(text);
      }
      raw((segment + "___").substring(0, 4).getBytes(StandardCharsets.US_ASCII));
    }
    return this;
  }

  // --- data ---

  Aml integer(long value) {
    if (value == 0 || value == 1) {
      return raw((int) value);
    }
    if (value >>> 8 == 0) {
      return raw(0x0a).little(value, 1);
    }
    if (value >>> 16 == 0) {
      return raw(0x0b).little(value, 2);
    }
    return value >>> 32 == 0 ? raw(0x0c).little(value, 4) : raw(0x0e).little(value, 8);
  }

  /** A plug-and-play identifier such as PNP0A03, packed. */
  Aml eisaId(String id) {
    int packed =
        (id.charAt(0) - '@') << 26
            | (id.charAt(1) - '@') << 21
            | (id.charAt(2) - '@') << 16
            | Integer.parseInt(id.substring(3), 16);
    return raw(0x0c).little(Integer.reverseBytes(packed), 4);
  }

  Aml elements(Aml... elements) {
    Aml body = new Aml().raw(elements.length);
    for (Aml element : elements) {
      body.raw(element.bytes());
    }
    return raw(PACKAGE_OP).enclosed(body);
  }

  static Aml of(long value) {
    return new Aml().integer(value);
  }

  // --- resource templates (ACPI 6.4, 6.4) ---

  /** A buffer of what {@code descriptors} describe, with an end tag. */
  Aml resources(Aml descriptors) {
    byte[] bytes = new Aml().raw(descriptors.bytes()).raw(0x79, 0).bytes();
    return raw(BUFFER_OP).enclosed(new Aml().integer(bytes.length).raw(bytes));
  }

  /** Fixed ports. */
  Aml ports(int first, int count) {
    return raw(0x47, 1).little(first, 2).little(first, 2).raw(1, count);
  }

  /** An ISA interrupt. */
  Aml interrupt(int line) {
    return raw(0x22).little(1L << line, 2);
  }

  /** A range of bus numbers that a bridge produces. */
  Aml buses(int first, int last) {
    return raw(0x88, 0x0d, 0, 2, 0x0c, 0).words(first, last);
  }

  /** A range of ports that a bridge passes on. */
  Aml portWindow(int first, int last) {
    return raw(0x88, 0x0d, 0, 1, 0x0c, 3).words(first, last);
  }

  private Aml words(int first, int last) {
    return little(0, 2).little(first, 2).little(last, 2).little(0, 2).little(last - first + 1, 2);
  }

  /** A range of memory below 4 GiB that a bridge passes on, read and written, not cached. */
  Aml memoryWindow(long first, long last) {
    return raw(0x87, 0x17, 0, 0, 0x0c, 1)
        .little(0, 4)
        .little(first, 4)
        .little(last, 4)
        .little(0, 4)
        .little(last - first + 1, 4);
  }
}
