package parhelion.lab.cost;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import parhelion.toolstack.UserError;

/** The models that come along, and those of users. */
public final class CostModels {
  /** The files, in the order of their years: those of one machine follow each other. */
  private static final List<String> NAMES =
      List.of(
          "trap-2003",
          "xen-2003",
          "translation-2006",
          "vtx-2006",
          "kvm",
          "kvm-nested",
          "pvm",
          "xen-today");

  private static final int MAX_BYTES = 4 << 20;

  private CostModels() {}

  /** All that come along. */
  public static List<CostModel> builtIn() {
    List<CostModel> models = new ArrayList<>();
    for (String name : NAMES) {
      models.add(CostFile.parse(name + ".yaml", resource(name)));
    }
    return models;
  }

  private static String resource(String name) {
    String path = "/parhelion/lab/cost/" + name + ".yaml";
    try (InputStream in = CostModels.class.getResourceAsStream(path)) {
      if (in == null) {
        throw new IllegalStateException("no resource " + path);
      }
      return new String(in.readAllBytes(), UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * A model by the name of one that comes along, or from a file: what has a slash or ends in .yaml
   * or .yml is a file. {@link UserError} if there is none or it is wrong.
   */
  public static CostModel of(String nameOrFile) {
    boolean isFile =
        nameOrFile.contains("/") || nameOrFile.endsWith(".yaml") || nameOrFile.endsWith(".yml");
    if (isFile) {
      return read(Path.of(nameOrFile));
    }
    if (!NAMES.contains(nameOrFile)) {
      throw new UserError(
          "there is no cost model '"
              + nameOrFile
              + "': it is one of "
              + String.join(", ", NAMES)
              + ", or a file FILE.yaml");
    }
    return CostFile.parse(nameOrFile + ".yaml", resource(nameOrFile));
  }

  /** A model from a file. */
  static CostModel read(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(MAX_BYTES + 1);
      if (bytes.length > MAX_BYTES) {
        throw new UserError(file + " is no cost model: it is larger than a cost model can be");
      }
      String text = UTF_8.newDecoder().decode(java.nio.ByteBuffer.wrap(bytes)).toString();
      return CostFile.parse(file.toString(), text);
    } catch (NoSuchFileException e) {
      throw new UserError("no file " + file + ": name a cost model, see docs/lab-report.md", e);
    } catch (CharacterCodingException e) {
      throw new UserError(file + " is no cost model: it is not UTF-8 text", e);
    } catch (IOException e) {
      throw new UserError(file + " cannot be read: " + e.getMessage(), e);
    }
  }
}
