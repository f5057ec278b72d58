package parhelion.app;

import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * As much of PostgreSQL's protocol 3.0 as it takes to send simple queries to a server that trusts
 * its clients. When {@link #query} returns, the server has acknowledged the transaction.
 */
final class PostgresClient implements AutoCloseable {
  private static final int PROTOCOL = 3 << 16;
  private static final int MAX_MESSAGE_BYTES = 1 << 24;
  private static final int SILENCE_MILLIS = 300_000;

  private final Socket socket;
  private final DataInputStream in;
  private final DataOutputStream out;

  /** Connects to a database. */
  PostgresClient(int port, String user, String database) throws IOException {
    socket = new Socket(InetAddress.getLoopbackAddress(), port);
    try {
      socket.setTcpNoDelay(true);
      socket.setSoTimeout(SILENCE_MILLIS);
      in = new DataInputStream(socket.getInputStream());
      out = new DataOutputStream(new BufferedOutputStream(socket.getOutputStream()));
      ByteArrayOutputStream words = new ByteArrayOutputStream();
      for (String word : List.of("user", user, "database", database, "")) {
        words.write(word.getBytes(StandardCharsets.UTF_8));
        words.write(0);
      }
      out.writeInt(8 + words.size());
      out.writeInt(PROTOCOL);
      words.writeTo(out);
      out.flush();
      awaitReady();
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }

  /**
   * Runs statements; in one transaction, if they do not say otherwise.
   *
   * @return the rows, of text
   * @throws IOException for the server's errors as well
   */
  List<List<String>> query(String sql) throws IOException {
    byte[] text = sql.getBytes(StandardCharsets.UTF_8);
    out.writeByte('Q');
    out.writeInt(4 + text.length + 1);
    out.write(text);
    out.writeByte(0);
    out.flush();
    return awaitReady();
  }

  /** The only number that a query gives. */
  long number(String sql) throws IOException {
    return Long.parseLong(query(sql).getFirst().getFirst());
  }

  private List<List<String>> awaitReady() throws IOException {
    List<List<String>> rows = new ArrayList<>();
    String error = null;
    while (true) {
      int type = in.readByte();
      int length = in.readInt() - 4;
      if (length < 0 || length > MAX_MESSAGE_BYTES) {
        throw new IOException("a message of " + length + " bytes");
      }
      byte[] payload = new byte[length];
      in.readFully(payload);
      switch (type) {
        case 'D' -> rows.add(row(ByteBuffer.wrap(payload)));
        case 'E' -> {
          error = new String(payload, StandardCharsets.UTF_8).replace('\0', ' ');
          if (error.contains("FATAL")) {
            throw new IOException(error); // the connection ends
          }
        }
        case 'R' -> {
          if (ByteBuffer.wrap(payload).getInt() != 0) {
            throw new IOException("the server wants a password");
          }
        }
        case 'Z' -> {
          if (error != null) {
            throw new IOException(error);
          }
          return rows;
        }
        default -> {} // parameters, notices, descriptions of rows
      }
    }
  }

  private static List<String> row(ByteBuffer payload) {
    List<String> columns = new ArrayList<>();
    for (int n = payload.getShort(); n > 0; n--) {
      byte[] value = new byte[Math.max(0, payload.getInt())];
      payload.get(value);
      columns.add(new String(value, StandardCharsets.UTF_8));
    }
    return columns;
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
