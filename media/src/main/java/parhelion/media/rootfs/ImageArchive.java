package parhelion.media.rootfs;

import static java.nio.file.Files.isRegularFile;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import parhelion.media.rootfs.TarMembers.Member;

/**
 * An image in a tar archive, as {@code docker save} writes it ({@code manifest.json}) or as OCI's
 * image layout has it ({@code index.json}), or such a layout in a directory: which layers, and how
 * to run it.
 */
final class ImageArchive {
  private static final int MAX_MEMBERS = 10_000;
  private static final int MAX_JSON_BYTES = 4 << 20;
  private static final int MAX_LAYERS = 500;
  private static final int MAX_INDEX_DEPTH = 4;
  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * A layer.
   *
   * @param digest SHA-256 of its bytes, in hexadecimal, or null if nothing says so
   */
  record Layer(ByteRange bytes, @Nullable String digest) {}

  /** Where its files are. */
  private interface Files {
    /** A file of it, or null if there is none. */
    @Nullable ByteRange find(String name) throws IOException;
  }

  private static final String INDEX = "index.json";
  private static final String LAYOUT = "oci-layout";

  private final Files files;
  private final List<Layer> layers = new ArrayList<>();
  private ImageConfig config = ImageConfig.NONE;

  private ImageArchive(Files files) {
    this.files = files;
  }

  /** Whether a directory is an OCI image layout. */
  static boolean isLayout(Path directory) {
    return isRegularFile(directory.resolve(LAYOUT)) && isRegularFile(directory.resolve(INDEX));
  }

  /**
   * Reads an OCI image layout.
   *
   * @param opened takes the files that stay open
   */
  static ImageArchive ofLayout(Path directory, List<FileChannel> opened) throws IOException {
    ImageArchive image =
        new ImageArchive(
            name -> {
              // Names are our own, and of digests that were checked: none leads out.
              Path file = directory.resolve(name);
              if (!isRegularFile(file)) {
                return null;
              }
              FileChannel channel = FileChannel.open(file);
              opened.add(channel);
              return new ByteRange(channel, 0, channel.size());
            });
    image.readOci();
    return image;
  }

  /** Reads an image archive, or null if the archive is none. */
  static @Nullable ImageArchive of(ByteRange archive) throws IOException {
    Map<String, ByteRange> members = new HashMap<>();
    Map<String, String> links = new HashMap<>();
    TarMembers tar = new TarMembers(archive);
    Member member;
    while ((member = tar.next()) != null) {
      String name = member.path().startsWith("./") ? member.path().substring(2) : member.path();
      if (member.type() == '0') {
        members.put(name, member.data());
      } else if (member.type() == '2') {
        links.put(name, member.linkTarget());
      }
      if (members.size() + links.size() > MAX_MEMBERS) {
        return null; // a root file system, perhaps
      }
    }
    // Older docker save links to layers that several images share.
    links.forEach(
        (name, target) -> {
          ByteRange shared = members.get(target.startsWith("../") ? target.substring(3) : target);
          if (shared != null) {
            members.putIfAbsent(name, shared);
          }
        });
    ImageArchive image = new ImageArchive(members::get);
    if (members.containsKey(INDEX) && members.containsKey(LAYOUT)) {
      image.readOci();
    } else if (members.containsKey("manifest.json")) {
      image.readDocker();
    } else {
      return null;
    }
    return image;
  }

  List<Layer> layers() {
    return layers;
  }

  ImageConfig config() {
    return config;
  }

  private ByteRange find(String name) throws IOException {
    ByteRange found = files.find(name);
    if (found == null) {
      throw new RootFsException("it has no " + name + ", which its manifest names");
    }
    return found;
  }

  private static JsonNode json(byte[] bytes, String name) throws IOException {
    try {
      JsonNode node = JSON.readTree(bytes);
      return node == null ? JSON.missingNode() : node;
    } catch (JsonProcessingException e) {
      throw new RootFsException("its " + name + " is malformed");
    }
  }

  private void readDocker() throws IOException {
    JsonNode images = json(find("manifest.json").bytes(MAX_JSON_BYTES), "manifest.json");
    if (images.size() != 1) {
      throw new RootFsException("it holds " + images.size() + " images: save one of them");
    }
    JsonNode image = images.path(0);
    readConfig(find(image.path("Config").asText()).bytes(MAX_JSON_BYTES));
    for (JsonNode layer : image.path("Layers")) {
      addLayer(find(layer.asText()), null);
    }
  }

  private void addLayer(ByteRange bytes, @Nullable String digest) throws RootFsException {
    if (layers.size() == MAX_LAYERS) {
      throw new RootFsException("it has more than " + MAX_LAYERS + " layers");
    }
    layers.add(new Layer(bytes, digest));
  }

  private void readOci() throws IOException {
    JsonNode at = json(find(INDEX).bytes(MAX_JSON_BYTES), INDEX);
    for (int depth = 0; at.path("manifests").isArray(); depth++) {
      if (depth == MAX_INDEX_DEPTH) {
        throw new RootFsException("its index leads nowhere");
      }
      at = json(blob(choose(at.path("manifests"))), "index");
    }
    readConfig(blob(at.path("config")));
    for (JsonNode layer : at.path("layers")) {
      String digest = digest(layer);
      addLayer(find("blobs/sha256/" + digest), digest);
    }
  }

  /** The one manifest, or the one for our kind of machine. */
  private static JsonNode choose(JsonNode manifests) throws RootFsException {
    JsonNode chosen = null;
    for (JsonNode manifest : manifests) {
      JsonNode platform = manifest.path("platform");
      boolean ours =
          platform.isMissingNode()
              || platform.path("os").asText().equals("linux")
                  && platform.path("architecture").asText().equals("amd64");
      if (ours && chosen != null) {
        throw new RootFsException("it holds several images: save one of them");
      }
      chosen = ours ? manifest : chosen;
    }
    if (chosen == null) {
      throw new RootFsException("it holds no image for linux/amd64");
    }
    return chosen;
  }

  private static String digest(JsonNode descriptor) throws RootFsException {
    String digest = descriptor.path("digest").asText();
    if (!digest.matches("sha256:[0-9a-f]{64}")) {
      throw new RootFsException("it names a blob by '" + digest + "', which is no SHA-256 digest");
    }
    return digest.substring("sha256:".length());
  }

  /** A small blob, which is what its digest says. */
  private byte[] blob(JsonNode descriptor) throws IOException {
    String digest = digest(descriptor);
    byte[] bytes = find("blobs/sha256/" + digest).bytes(MAX_JSON_BYTES);
    if (!digest.equals(HexFormat.of().formatHex(LayerCache.sha256().digest(bytes)))) {
      throw new RootFsException("a blob is not what its digest says");
    }
    return bytes;
  }

  private void readConfig(byte[] bytes) throws IOException {
    JsonNode all = json(bytes, "configuration");
    String machine = all.path("architecture").asText("amd64");
    if (!machine.equals("amd64")) {
      throw new RootFsException("it is an image for " + machine + ", not for amd64");
    }
    JsonNode run = all.path("config");
    List<String> command = new ArrayList<>(strings(run.path("Entrypoint")));
    command.addAll(strings(run.path("Cmd")));
    config =
        new ImageConfig(
            strings(run.path("Env")),
            List.copyOf(command),
            run.path("User").asText(""),
            run.path("WorkingDir").asText(""));
  }

  private static List<String> strings(JsonNode list) {
    List<String> strings = new ArrayList<>();
    list.forEach(item -> strings.add(item.asText()));
    return List.copyOf(strings);
  }
}
