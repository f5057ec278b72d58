package parhelion.toolstack.control;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Lines of JSON on a socket. What follows a line stays unread. For one thread. */
final class Lines {
  static final ObjectMapper JSON =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES).build();

  /** A request's line, with all of a command's arguments in it. */
  private static final int MAX_BYTES = 1 << 20;

  private Lines() {}

  /** Reads a line; null at the end. */
  static @Nullable String read(SocketChannel channel) throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    ByteBuffer one = ByteBuffer.allocate(1);
    while (line.size() < MAX_BYTES) {
      one.clear();
      if (channel.read(one) < 0) {
        return null;
      }
      if (one.get(0) == '\n') {
        return line.toString(StandardCharsets.UTF_8);
      }
      line.write(one.get(0));
    }
    throw new IOException("a line of more than " + MAX_BYTES + " bytes");
  }

  static void write(SocketChannel channel, JsonNode message) throws IOException {
    byte[] line = (message + "\n").getBytes(StandardCharsets.UTF_8);
    ByteBuffer bytes = ByteBuffer.wrap(line);
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  static ObjectNode object() {
    return JSON.createObjectNode();
  }

  static <T> T parse(String line, Class<T> type) throws JsonProcessingException {
    return JSON.readValue(line, type);
  }
}
