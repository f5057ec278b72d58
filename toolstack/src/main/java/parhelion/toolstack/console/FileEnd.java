package parhelion.toolstack.console;

import java.io.FileOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import parhelion.backends.console.ConsoleEnd;
import parhelion.backends.console.ConsoleInput;
import parhelion.backends.console.ConsoleSink;
import parhelion.backends.console.StreamSink;
import parhelion.toolstack.UserError;

/** A console whose output is written to a file, and which has no input. Any thread. */
final class FileEnd implements ConsoleEnd {
  private static final int BUFFER_BYTES = 64 << 10;
  private static final Duration DRAIN = Duration.ofSeconds(5);

  private final Path file;
  private final FileOutputStream stream;
  private final StreamSink sink;

  FileEnd(Path file) {
    this.file = file;
    try {
      stream = new FileOutputStream(file.toFile());
    } catch (IOException e) {
      throw new UserError(
          "--console file: cannot write to " + e.getMessage() + ": give a file that can be written",
          e);
    }
    sink = new StreamSink("console file", stream, BUFFER_BYTES);
  }

  @Override
  public ConsoleSink sink() {
    return sink;
  }

  @Override
  public void connected(ConsoleInput input) {}

  @Override
  public void disconnected() {}

  @Override
  public String where() {
    return "file:" + file;
  }

  @Override
  public void close() {
    try {
      boolean unused = sink.drain(DRAIN);
      sink.close();
      stream.close();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IOException e) {
      throw new UserError(file + ": is not whole: " + e.getMessage(), e);
    }
  }
}
