console.log(SHELL_FILES);
