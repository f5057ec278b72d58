# What a job asks the supervisor for: number in EAX, argument in EBX, then INT 0x30.
.set END, 0        # the job is over
.set NUMBER, 1     # prints EBX in decimal, and a space
.set LETTER, 2     # prints the character in BL
.set SIZE, 3       # EAX := bytes of memory that the job has

.macro ask what
  movl $\what, %eax
  int $0x30
.endm
