package parhelion.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import parhelion.media.disk.ImageFormat;
import parhelion.toolstack.UserError;
import parhelion.toolstack.device.DeviceConfig;

class DiskArgumentsTest {
  @TempDir Path directory;

  @Test
  void wordsBehindTheFileAreOptions() {
    var request = DiskArguments.Request.of("a.img,ro,format=qcow2,sector=4096,name=xvdf", false);
    assertEquals(ImageFormat.QCOW2, request.how().format());
    assertEquals(Path.of("a.img"), request.file());
    assertTrue(request.how().readOnly() && request.readOnly());
    assertEquals(4096, request.sectorBytes());
    assertEquals("xvdf", request.name());
  }

  @Test
  void aSnapshotIsForDisksThatCanBeWritten() {
    assertTrue(DiskArguments.Request.of("a.img", true).how().snapshot());
    assertTrue(DiskArguments.Request.of("a.img,snapshot", false).how().snapshot());
    assertTrue(DiskArguments.Request.of("a.iso,cdrom", true).how().readOnly());
    assertTrue(!DiskArguments.Request.of("a.iso,cdrom", true).how().snapshot());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "a.img,rw | is none of ro",
        "a.img,format=vmdk | format=vmdk is not raw or qcow2",
        "a.img,sector=1024 | sector=1024 is not 512 or 4096",
        "a.img,name=sda | no name of a disk",
        ",ro | names no file",
        "no-such.img | no such file",
      })
  void whatIsWrongIsNamed(String text, String words) {
    DiskArguments arguments = new DiskArguments();
    arguments.disks = List.of(text.strip());
    String line = String.valueOf(assertThrows(UserError.class, arguments::open).getMessage());
    assertTrue(line.contains(words.strip()), line);
  }

  @Test
  void disksWithoutANameGetTheFirstThatAreFree() throws Exception {
    for (String name : List.of("a", "b", "c")) {
      Files.write(directory.resolve(name), new byte[4096]);
    }
    DiskArguments arguments = new DiskArguments();
    arguments.disks =
        List.of(directory + "/a", directory + "/b,name=xvda,ro", directory + "/c,cdrom");
    List<DeviceConfig> opened = arguments.open();
    assertEquals(List.of("xvdb", "xvda", "xvdc"), opened.stream().map(DeviceConfig::name).toList());
    opened.forEach(DeviceConfig::close);
    arguments.disks = List.of(directory + "/a,name=xvdc", directory + "/b,name=xvdc");
    assertThrows(UserError.class, arguments::open);
    arguments.disks = List.of(directory + "/a", directory + "/a");
    assertThrows(UserError.class, arguments::open);
    arguments.disks = List.of(directory + "/a");
    arguments.open().forEach(DeviceConfig::close); // what failed has let go of it
  }

  @Test
  void theRootIsNamedAsUsersName() {
    DiskArguments arguments = new DiskArguments();
    assertEquals("", arguments.rootWords());
    arguments.root = "xvda1";
    assertEquals("root=/dev/xvda1 rw", arguments.rootWords());
    arguments.root = "LABEL=system";
    assertEquals("root=LABEL=system rw", arguments.rootWords());
  }
}
