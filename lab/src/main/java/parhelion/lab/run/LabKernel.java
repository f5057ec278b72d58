package parhelion.lab.run;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import parhelion.lab.result.Kernel;
import parhelion.toolstack.debian.PackageCache;
import parhelion.toolstack.device.DeviceConfig;
import parhelion.toolstack.device.PcInterface;
import parhelion.toolstack.image.ElfCache;
import parhelion.toolstack.image.ElfImage;
import parhelion.toolstack.image.ImageException;
import parhelion.toolstack.image.KernelImage;
import parhelion.toolstack.image.KernelModules;
import parhelion.toolstack.image.KernelSymbols;
import parhelion.toolstack.image.ModuleSet;
import parhelion.toolstack.image.Progress;

/** The one kernel file that every guest of a comparison runs, and what its modules are. */
final class LabKernel {
  private static final String SMALL_PACKAGE = "linux-image-cloud-amd64";

  /** The cloud kernel has no drivers for AHCI and e1000. */
  private static final String FULL_PACKAGE = "linux-image-amd64";

  private static final byte[] VERSION = "Linux version ".getBytes(StandardCharsets.US_ASCII);
  private static final int MAX_VERSION_BYTES = 200;

  private final ElfImage image;
  private final @Nullable Path systemMap;
  private final @Nullable KernelModules modules;
  private final Kernel record;

  /** Why devices cannot be used, by what they need. */
  private final Map<ModuleSet.Request, String> lacking = new HashMap<>();

  private LabKernel(
      ElfImage image, @Nullable Path systemMap, @Nullable KernelModules modules, Kernel record) {
    this.image = image;
    this.systemMap = systemMap;
    this.modules = modules;
    this.record = record;
  }

  /**
   * Opens what the user names, or fetches what Debian has.
   *
   * @param withDevices whether guests are to have disks and networks
   * @param forHardware whether some of those are as in a real PC
   * @throws parhelion.toolstack.image.ImageException if there is none; one line with a remedy
   */
  static LabKernel open(
      LabConfig config,
      PackageCache packages,
      boolean withDevices,
      boolean forHardware,
      Progress progress)
      throws IOException {
    Path file = config.kernel();
    String name;
    Path systemMap = null;
    KernelModules modules = null;
    if (file == null) {
      String asked = config.packageName();
      name = asked != null ? asked : forHardware ? FULL_PACKAGE : SMALL_PACKAGE;
      PackageCache.Kernel packaged =
          withDevices && config.initrd() == null
              ? packages.kernelWithModules(name, forHardware)
              : packages.kernel(name);
      file = packaged.image();
      systemMap = packaged.systemMap();
      name = packaged.packageName();
      Path directory = packaged.modules();
      modules = directory == null ? null : KernelModules.open(directory);
    } else {
      name = file.toString();
    }
    ElfImage image =
        ElfImage.of(
            KernelImage.open(file, ElfCache.ofUser(), KernelImage.DEFAULT_LIMIT_BYTES, progress));
    return new LabKernel(image, systemMap, modules, new Kernel(name, version(image), digest(file)));
  }

  /** What is said of the kernel where only programs ran: the digest is their own program's. */
  static Kernel none() {
    return new Kernel(
        "none", "unknown", HexFormat.of().formatHex(sha256().digest(LabProgram.bytes())));
  }

  ElfImage image() {
    return image;
  }

  Kernel record() {
    return record;
  }

  Supplier<@Nullable KernelSymbols> symbols() {
    return () -> KernelSymbols.of(image, systemMap);
  }

  /**
   * Why devices of these modules cannot be used; null if they can, as far as that is known.
   *
   * @param request what the devices need
   */
  @Nullable String lacks(ModuleSet.Request request) {
    String known = lacking.computeIfAbsent(request, this::missing);
    return known.isEmpty() ? null : known;
  }

  /** Empty if nothing is, as far as that is known. */
  private String missing(ModuleSet.Request request) {
    KernelModules all = modules;
    if (all == null) {
      return ""; // built in, perhaps: the row itself will tell
    }
    try {
      ModuleSet unused = all.select(request);
      return "";
    } catch (ImageException e) {
      return "the kernel has no driver: " + e.getMessage();
    }
  }

  /** The modules of a request, as far as the kernel has some that are not built in. */
  ModuleSet modules(ModuleSet.Request request) {
    KernelModules all = modules;
    return all == null || request.isEmpty() ? ModuleSet.NONE : all.select(request);
  }

  /**
   * What devices need of the kernel.
   *
   * @param offered whose interface the PC offers; null for a Xen PV domain
   */
  static ModuleSet.Request request(List<DeviceConfig> devices, @Nullable PcInterface offered) {
    ModuleSet.Request request = ModuleSet.Request.NONE;
    for (DeviceConfig device : devices) {
      request = request.and(offered == null ? device.modules() : device.pcModules(offered));
    }
    return request;
  }

  private static String digest(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      MessageDigest digest = sha256();
      byte[] chunk = new byte[1 << 16];
      for (int n = in.read(chunk); n >= 0; n = in.read(chunk)) {
        digest.update(chunk, 0, n);
      }
      return HexFormat.of().formatHex(digest.digest());
    }
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** What Linux says in its first line. */
  private static String version(ElfImage image) {
    ByteBuffer file = image.file();
    for (int at = file.position(); at < file.limit() - VERSION.length; at++) {
      if (file.get(at) == VERSION[0] && isVersionAt(file, at)) {
        StringBuilder text = new StringBuilder();
        for (int i = at + VERSION.length;
            i < file.limit() && text.length() < MAX_VERSION_BYTES;
            i++) {
          char c = (char) (file.get(i) & 0xff);
          if (c < ' ' || c > '~') {
            break;
          }
          text.append(c);
        }
        String found = text.toString().strip();
        int blank = found.indexOf(' ');
        if (!found.isEmpty() && Character.isDigit(found.charAt(0))) {
          return blank < 0 ? found : found.substring(0, blank);
        }
      }
    }
    return "unknown";
  }

  private static boolean isVersionAt(ByteBuffer file, int at) {
    for (int i = 1; i < VERSION.length; i++) {
      if (file.get(at + i) != VERSION[i]) {
        return false;
      }
    }
    return true;
  }
}
