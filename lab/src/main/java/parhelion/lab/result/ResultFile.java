package parhelion.lab.result;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import parhelion.toolstack.UserError;

/**
 * A comparison as a JSON file. A file that is damaged, foreign or of another version is a {@link
 * UserError} of one line; a file is replaced whole or not at all.
 */
public final class ResultFile {
  /** What a result's file says it is. */
  private static final String FORMAT = "parhelion-comparison";

  private static final int FORMAT_VERSION = 1;

  /** A comparison of every technique and workload with 100 repetitions is well below that. */
  private static final long MAX_BYTES = 256L << 20;

  private static final JsonMapper JSON =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(32)
                          .maxNumberLength(64)
                          .maxStringLength(1 << 18)
                          .build())
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .build())
          .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
          .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
          .enable(SerializationFeature.INDENT_OUTPUT)
          .defaultPropertyInclusion(
              JsonInclude.Value.construct(
                  JsonInclude.Include.NON_NULL, JsonInclude.Include.USE_DEFAULTS))
          .build();

  /** What stands in the file around the comparison. */
  private record Envelope(String format, int formatVersion, @Nullable Comparison comparison) {}

  private ResultFile() {}

  /** The file's text, ending in a line feed; equal comparisons make equal texts. */
  public static String json(Comparison comparison) {
    try {
      return JSON.writeValueAsString(new Envelope(FORMAT, FORMAT_VERSION, comparison)) + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a comparison cannot be written as JSON", e);
    }
  }

  /** Writes the file, whose directory must exist. */
  public static void write(Comparison comparison, Path file) {
    replace(file, json(comparison));
  }

  /**
   * Puts a text in a file's place in one step, so that nobody reads half of it and a failure leaves
   * what was there. {@link UserError} when it cannot be written.
   */
  public static void replace(Path file, String text) {
    Path whole = file.toAbsolutePath();
    Path directory = whole.getParent();
    if (directory == null || Files.isDirectory(whole)) {
      throw new UserError(file + " is a directory: name a file to write to");
    }
    if (Files.exists(whole) && !Files.isRegularFile(whole)) {
      // A pipe or /dev/stdout: there is nothing to keep.
      try {
        Files.writeString(whole, text);
        return;
      } catch (IOException e) {
        throw cannotWrite(file, e);
      }
    }
    try {
      // Not createTempFile, whose files are the owner's alone.
      Path fresh = directory.resolve("." + whole.getFileName() + "." + UUID.randomUUID() + ".part");
      try {
        Files.writeString(fresh, text, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        Files.move(fresh, whole, StandardCopyOption.ATOMIC_MOVE);
      } finally {
        Files.deleteIfExists(fresh);
      }
    } catch (IOException e) {
      throw cannotWrite(file, e);
    }
  }

  /** Reads a file that {@link #write} wrote. {@link UserError} for any other. */
  public static Comparison read(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes((int) MAX_BYTES + 1);
      if (bytes.length > MAX_BYTES) {
        throw new UserError(
            file + " is larger than any result of compare (" + (MAX_BYTES >> 20) + " MiB)");
      }
      return parse(file.toString(), bytes);
    } catch (NoSuchFileException e) {
      throw new UserError(
          "no file " + file + ": name one that 'parhelion compare --json FILE' wrote", e);
    } catch (AccessDeniedException e) {
      throw new UserError(file + " may not be read: check its permissions", e);
    } catch (IOException e) {
      throw new UserError(file + " cannot be read: " + e.getMessage(), e);
    }
  }

  /**
   * @param name of the file, for messages
   */
  static Comparison parse(String name, byte[] bytes) {
    Envelope envelope;
    try {
      // As a tree first: what is no result at all shall not be told of as a wrong field.
      var tree = JSON.readTree(new String(bytes, StandardCharsets.UTF_8));
      var version = tree.path("formatVersion");
      if (!tree.path("format").asText().equals(FORMAT) || !version.isInt()) {
        throw new UserError(
            name
                + " is no result of compare: name a file that 'parhelion compare --json FILE'"
                + " wrote");
      }
      if (version.intValue() != FORMAT_VERSION) {
        throw new UserError(
            name
                + " is a result of another version of Parhelion (format "
                + version.intValue()
                + ", not "
                + FORMAT_VERSION
                + "): run the comparison again");
      }
      envelope = JSON.treeToValue(tree, Envelope.class);
    } catch (JsonProcessingException e) {
      throw new UserError(name + " is damaged: " + where(e), e);
    }
    if (envelope.comparison() == null) {
      throw new UserError(name + " is damaged: comparison is missing");
    }
    return envelope.comparison();
  }

  private static UserError cannotWrite(Path file, IOException e) {
    return new UserError("cannot write " + file + ": " + e.getMessage(), e);
  }

  /** What is wrong and where, in one line without what the file's bytes could do to a terminal. */
  private static String where(JsonProcessingException e) {
    String what = e.getOriginalMessage();
    Throwable cause = e.getCause();
    if (cause instanceof IllegalArgumentException && cause.getMessage() != null) {
      what = cause.getMessage();
    } else if (e instanceof UnrecognizedPropertyException unknown) {
      what = "unknown field " + unknown.getPropertyName();
    }
    StringBuilder path = new StringBuilder();
    if (e instanceof JsonMappingException mapping) {
      for (JsonMappingException.Reference step : mapping.getPath()) {
        String field = step.getFieldName();
        path.append(field == null ? "[" + step.getIndex() + "]" : "." + field);
      }
    }
    String place =
        path.isEmpty() ? "" : " (at " + path.substring(path.charAt(0) == '.' ? 1 : 0) + ")";
    return printable(what.lines().findFirst().orElse("no JSON")) + printable(place);
  }

  private static String printable(String text) {
    String clean = text.replaceAll("\\p{Cntrl}", "?");
    return clean.length() <= 200 ? clean : clean.substring(0, 200) + "...";
  }
}
