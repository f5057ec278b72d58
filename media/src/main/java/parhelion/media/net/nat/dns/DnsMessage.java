package parhelion.media.net.nat.dns;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import parhelion.media.net.nat.wire.IpAddress;
import parhelion.media.net.nat.wire.Wire;

/** What of a message of DNS (RFC 1035) a forwarder has to understand. */
final class DnsMessage {
  static final int A = 1;
  static final int PTR = 12;
  static final int AAAA = 28;

  static final int NO_ERROR = 0;
  static final int FORMAT_ERROR = 1;
  static final int SERVER_FAILURE = 2;
  static final int NO_SUCH_NAME = 3;
  static final int NOT_IMPLEMENTED = 4;
  static final int REFUSED = 5;

  static final int HEADER_BYTES = 12;
  private static final int RESPONSE = 0x8000;
  private static final int AUTHORITATIVE = 0x0400;
  private static final int RECURSION_DESIRED = 0x0100;
  private static final int RECURSION_AVAILABLE = 0x0080;
  private static final int OPCODE = 0x7800;
  private static final int IN = 1;
  private static final int MAX_NAME = 255;
  private static final int MAX_LABEL = 63;
  private static final int POINTER = 0xc0;

  private DnsMessage() {}

  /**
   * The one question of a message.
   *
   * @param name in small letters, without the last dot
   * @param end where the question ends in the message
   */
  record Question(String name, int type, int dnsClass, int end) {
    boolean isInternet() {
      return dnsClass == IN;
    }
  }

  /** Whether a message is a query, and not an answer. */
  static boolean isQuery(byte[] message) {
    return message.length >= HEADER_BYTES && (Wire.u16(message, 2) & RESPONSE) == 0;
  }

  static boolean isStandard(byte[] message) {
    return (Wire.u16(message, 2) & OPCODE) == 0;
  }

  static int id(byte[] message) {
    return Wire.u16(message, 0);
  }

  /** The same message with another number. */
  static byte[] withId(byte[] message, int id) {
    byte[] copy = message.clone();
    Wire.put16(copy, 0, id);
    return copy;
  }

  /** Null if there is not exactly one question, or it is malformed. */
  static @Nullable Question question(byte[] message) {
    if (message.length < HEADER_BYTES || Wire.u16(message, 4) != 1) {
      return null;
    }
    StringBuilder name = new StringBuilder();
    int at = HEADER_BYTES;
    while (at < message.length && message[at] != 0) {
      int length = Wire.u8(message, at);
      if (length > MAX_LABEL || at + 1 + length > message.length || at > MAX_NAME + HEADER_BYTES) {
        return null;
      }
      name.append(name.isEmpty() ? "" : ".");
      for (int i = at + 1; i <= at + length; i++) {
        name.append((char) Wire.u8(message, i));
      }
      at += 1 + length;
    }
    int end = at + 5;
    if (end > message.length) {
      return null;
    }
    return new Question(
        name.toString().toLowerCase(Locale.ROOT),
        Wire.u16(message, at + 1),
        Wire.u16(message, at + 3),
        end);
  }

  /** Whether a message answers a query that was sent with this number. */
  static boolean answers(byte[] message, int id, Question asked) {
    if (message.length < HEADER_BYTES || isQuery(message) || id(message) != id) {
      return false;
    }
    Question question = question(message);
    return question != null
        && question.name().equals(asked.name())
        && question.type() == asked.type()
        && question.dnsClass() == asked.dnsClass();
  }

  /** Takes an address that an answer gives. */
  interface Addresses {
    void address(IpAddress address, long ttlSeconds);
  }

  /** Goes through the addresses of an answer, as far as it is well-formed. */
  static void addresses(byte[] message, Question question, Addresses taker) {
    int at = question.end();
    for (int left = Wire.u16(message, 6); left > 0; left--) {
      at = skipName(message, at);
      if (at < 0 || at + 10 > message.length) {
        return;
      }
      int type = Wire.u16(message, at);
      boolean internet = Wire.u16(message, at + 2) == IN;
      long ttl = Wire.u32(message, at + 4);
      int length = Wire.u16(message, at + 8);
      at += 10;
      if (at + length > message.length) {
        return;
      }
      if (internet && type == A && length == IpAddress.V4_BYTES) {
        taker.address(IpAddress.v4(message, at), ttl);
      } else if (internet && type == AAAA && length == IpAddress.V6_BYTES) {
        taker.address(IpAddress.v6(message, at), ttl);
      }
      at += length;
    }
  }

  /** Where a name ends; -1 if the message ends first. */
  private static int skipName(byte[] message, int from) {
    int at = from;
    while (at < message.length) {
      int length = Wire.u8(message, at);
      if (length == 0) {
        return at + 1;
      }
      if (length >= POINTER) {
        return at + 2;
      }
      at += 1 + length;
    }
    return -1;
  }

  /** An answer without records. */
  static byte[] answer(byte[] query, int code) {
    Question question = question(query);
    return answer(query, question, code, 0, List.of(), 0);
  }

  /** An answer with records, the content of each as it stands in the message. */
  static byte[] answer(
      byte[] query,
      @Nullable Question question,
      int code,
      int type,
      List<byte[]> records,
      int ttlSeconds) {
    int end = question == null ? HEADER_BYTES : question.end();
    byte[] head = Arrays.copyOf(query, end);
    int kept = Wire.u16(query, 2) & (OPCODE | RECURSION_DESIRED);
    Wire.put16(head, 2, kept | RESPONSE | AUTHORITATIVE | RECURSION_AVAILABLE | code);
    Wire.put16(head, 4, question == null ? 0 : 1);
    Wire.put16(head, 6, records.size());
    Wire.put32(head, 8, 0);
    ByteArrayOutputStream answer = new ByteArrayOutputStream();
    answer.writeBytes(head);
    for (byte[] content : records) {
      byte[] record = new byte[12];
      Wire.put16(record, 0, POINTER << 8 | HEADER_BYTES);
      Wire.put16(record, 2, type);
      Wire.put16(record, 4, IN);
      Wire.put32(record, 6, ttlSeconds);
      Wire.put16(record, 10, content.length);
      answer.writeBytes(record);
      answer.writeBytes(content);
    }
    return answer.toByteArray();
  }

  /** A name as labels. */
  static byte[] name(String name) {
    ByteArrayOutputStream labels = new ByteArrayOutputStream();
    for (String label : name.split("\\.")) {
      labels.write(label.length());
      for (int i = 0; i < label.length(); i++) {
        labels.write(label.charAt(i));
      }
    }
    labels.write(0);
    return labels.toByteArray();
  }
}
